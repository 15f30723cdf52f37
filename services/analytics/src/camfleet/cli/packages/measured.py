"""What `camfleet model benchmark` measured on this machine, kept for `camfleet model show`."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from camfleet_contracts.clock import now_utc, rfc3339
from camfleet_contracts.files import write_atomically
from camfleet_contracts.settings import FleetSettings


def keep_measured(settings: FleetSettings, version: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Keep the rows of a version folder of the volume."""
    path = _path_of(settings, version)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, json.dumps({"time": rfc3339(now_utc()), "rows": list(rows)}) + "\n")


def measured_of(settings: FleetSettings, version: Path) -> dict[str, Any] | None:
    """What was measured of a version folder last; None when nothing was."""
    try:
        document: dict[str, Any] = json.loads(_path_of(settings, version).read_text())
    except (OSError, ValueError):
        return None
    return document


def words_of(measured: dict[str, Any]) -> str:
    """The speed of what can run here, one line each, and when it was measured."""
    lines = [
        f"{row['runtime']} {row['precision']}: {row['one_at_a_time']['p50_ms']:.1f} ms alone, "
        f"{row['together']['per_second']:.0f}/s together"
        for row in measured["rows"]
        if "together" in row
    ]
    return "\n".join([*lines, f"measured {measured['time'][:10]}"])


def _path_of(settings: FleetSettings, version: Path) -> Path:
    return settings.cache_dir / "benchmarks" / version.parent.name / f"{version.name}.json"
