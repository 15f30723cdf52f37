"""The folders of the fleet: whether this user can write them, and whether there is room."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from camfleet.cli.checks.finding import Finding
from camfleet_contracts.files import why_not_written
from camfleet_contracts.settings import FleetSettings

_SCARCE_BYTES = 200_000_000  # a model version is published beside the one it replaces


def check_folders(settings: FleetSettings) -> Iterator[Finding]:
    """Write a file into each folder that is there; those of other services need not be."""
    folders = {
        "model volume": settings.models_dir,
        "state": settings.state_dir,
        "cache": settings.cache_dir,
        "recordings": settings.recordings_dir,
    }
    for name, folder in folders.items():
        if folder.is_dir():
            yield _folder_finding(f"folder {name}", folder)


def _folder_finding(check: str, folder: Path) -> Finding:
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".doctor.tmp-") as file:
            file.write(bytes(4096))  # a full disk takes names, but no content
            file.flush()
    except OSError as error:
        return Finding(check, "bad", f"{folder} {why_not_written(folder, error)}")
    free = _free_bytes(folder)
    if free < _SCARCE_BYTES:
        return Finding(check, "note", f"{folder} has {free / 1e6:.0f} MB left; make room")
    return Finding(check, "ok", f"{folder}, {free / 1e9:.1f} GB free")


def _free_bytes(folder: Path) -> int:
    status = os.statvfs(folder)
    return status.f_bavail * status.f_frsize
