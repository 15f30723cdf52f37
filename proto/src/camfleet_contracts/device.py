"""The id of this device in events."""

import uuid
from pathlib import Path

from camfleet_contracts.files import locked, write_atomically
from camfleet_contracts.settings import FleetSettings


def device_id(settings: FleetSettings) -> str:
    """Return `CAMFLEET_DEVICE_ID`, else balena's UUID, else one kept in the state folder."""
    return settings.device_id or settings.balena_uuid or _kept_id(settings.state_dir / "device-id")


def _kept_id(path: Path) -> str:
    with locked(path):
        if path.is_file() and (kept := path.read_text().strip()):
            return kept
        made = str(uuid.uuid4())
        write_atomically(path, made + "\n")
        return made
