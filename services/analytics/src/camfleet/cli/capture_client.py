"""What capture says of its cameras over HTTP."""

import json
from typing import Any
from urllib.parse import quote

from camfleet_contracts.direct import capture_http_address, read_service
from camfleet_contracts.keys import KeyStore
from camfleet_contracts.settings import FleetSettings

_TIMEOUT_S = 2.0


def camera_states(settings: FleetSettings) -> dict[str, dict[str, Any]] | None:
    """The state of each camera by its name; None when capture does not answer."""
    try:
        document = json.loads(_get(settings, "/cameras"))
    except (OSError, ValueError):
        return None
    return {camera["name"]: camera for camera in document.get("cameras", ())}


def snapshot(settings: FleetSettings, camera: str) -> bytes | None:
    """A JPEG of the camera as capture sees it now; None when there is none."""
    try:
        return _get(settings, f"/cameras/{quote(camera)}/snapshot.jpg")
    except OSError:
        return None


def _get(settings: FleetSettings, path: str) -> bytes:
    return read_service(capture_http_address(settings) + path, _TIMEOUT_S, key_header(settings))


def key_header(settings: FleetSettings) -> dict[str, str]:
    """How a command presents itself: CAMFLEET_API_KEY, else as a service of the fleet here."""
    if settings.api_key:
        return {"x-api-key": settings.api_key.get_secret_value()}
    keys = settings.state_dir / "keys.json"
    return {"x-api-key": KeyStore(keys).fleet_secret()} if keys.is_file() else {}
