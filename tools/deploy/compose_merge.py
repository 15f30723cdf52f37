"""An overlay on top of a compose file, by the rules of Docker Compose, for those who read one file.

Only what files of this repository use is merged; tests compare it with `docker-compose config`.
"""

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

# Lists in which an entry replaces the one for the same place in the container.
_BY_TARGET = {"volumes", "devices"}
_REPLACED = {"command", "entrypoint", "test"}
_RESET = object()


def read_compose(path: Path) -> dict[str, Any]:
    """Return a compose file; what is tagged `!reset` takes the key out when it is merged."""
    reader = YAML(typ="safe")
    reader.constructor.add_constructor("!reset", lambda *_: _RESET)
    document: dict[str, Any] = reader.load(path)
    return document


def merged(base: dict[str, Any], overlay: dict[str, Any]) -> dict[str, Any]:
    """Return both as one document; neither is changed."""
    result = dict(base)
    for key, value in overlay.items():
        result[key] = _merged_value(key, base[key], value) if key in base else value
    return {key: value for key, value in result.items() if value is not _RESET}


def _merged_value(key: str, before: Any, after: Any) -> Any:
    if key in _REPLACED:
        return after
    if isinstance(before, dict) and isinstance(after, dict):
        return merged(before, after)
    if isinstance(before, list) and isinstance(after, list):
        return _merged_list(key, before, after)
    return after


def _merged_list(key: str, before: list[Any], after: list[Any]) -> list[Any]:
    targets = {_target(entry) for entry in after} if key in _BY_TARGET else set()
    kept = [e for e in before if e not in after and _target(e) not in targets]
    return [*kept, *after]


def _target(entry: str) -> str:
    return entry.split(":")[1] if ":" in entry else entry
