"""zone_config.json, as alwaysAI's tools write it.

`{"dimensions": {"width": W, "height": H}, "zones": [{NAME: {"zone_type": "polygon",
"description": "", "vector": [[x, y], ...]}}, ...]}`; corners are pixels of W x H. Files of the
library's versions 1 and 2 differ in the case of `zone_type` and in an `id`. A zone may also say
its name as `"name"`, and a box may have two corners only.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from camfleet.zone_list.errors import BadZones
from camfleet.zone_list.zone import Zone, ZoneType

_CORNERS_OF_A_DIAGONAL = 2
_BOX_NAMES = frozenset({"box", "rectangle", "bounding_box"})


def load_zones_from_config(path: str | os.PathLike[str]) -> list[Zone]:
    """The zones of a file.

    Raises:
        BadZones: it is not there, is not JSON, or a zone in it is not as it must be.
    """
    file = Path(path)
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadZones(f"{file}: {error.strerror or error}; looked in {Path.cwd()}") from error
    except ValueError as error:
        raise BadZones(f"{file}: not JSON: {error}") from error
    try:
        return _zones_of(document)
    except BadZones as error:
        raise BadZones(f"{file}: {error}") from error


def _zones_of(document: Any) -> list[Zone]:
    try:
        size = document["dimensions"]
        width, height = int(size["width"]), int(size["height"])
        entries = list(document["zones"])
    except (KeyError, TypeError, ValueError) as error:
        raise BadZones(
            'expected {"dimensions": {"width": ..., "height": ...}, "zones": [...]};'
            f" {error} is missing or wrong"
        ) from error
    zones = [_zone_of(entry, (width, height)) for entry in entries]
    names = [zone.name for zone in zones]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadZones(f"two zones are called {twice[0]!r}")
    return zones


def _zone_of(entry: Any, size: tuple[int, int]) -> Zone:
    name, facts = _named(entry)
    kind = str(facts.get("zone_type", "polygon")).lower()
    zone_type = ZoneType.BOX if kind in _BOX_NAMES else ZoneType.POLYGON
    if kind not in _BOX_NAMES | {ZoneType.POLYGON.value}:
        raise BadZones(f"zone {name!r}: zone_type {kind!r} is unknown; use polygon or box")
    try:
        corners = tuple((float(x), float(y)) for x, y in facts["vector"])
    except (KeyError, TypeError, ValueError) as error:
        raise BadZones(f"zone {name!r}: vector must be [[x, y], ...] ({error!r})") from error
    if zone_type is ZoneType.BOX and len(corners) == _CORNERS_OF_A_DIAGONAL:
        (left, top), (right, bottom) = corners
        corners = ((left, top), (right, top), (right, bottom), (left, bottom))
    return Zone(name, corners, *size, zone_type, str(facts.get("description") or ""))


def _named(entry: Any) -> tuple[str, Mapping[str, Any]]:
    if isinstance(entry, Mapping) and "name" in entry:
        return str(entry["name"]), entry
    if isinstance(entry, Mapping) and len(entry) == 1:
        (name, facts), *_ = entry.items()
        if isinstance(facts, Mapping):
            return str(name), facts
    raise BadZones(f'zone {entry!r}: expected {{NAME: {{"vector": [[x, y], ...]}}}}')
