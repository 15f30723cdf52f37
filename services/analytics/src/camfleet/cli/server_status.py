"""What the running model server says of its models, asked over REST."""

import json
from typing import Any, NamedTuple

from camfleet.cli.capture_client import key_header
from camfleet_contracts.direct import read_service, server_rest_address
from camfleet_contracts.settings import FleetSettings

_TIMEOUT_S = 2.0


class VersionState(NamedTuple):
    """One version as the server has it."""

    version: int
    state: str  # START LOADING AVAILABLE UNLOADING END
    reason: str


def served_models(settings: FleetSettings) -> dict[str, tuple[VersionState, ...]] | None:
    """All models with the state of their versions; None when no server answers."""
    url = f"{server_rest_address(settings)}/v1/config"
    try:
        document = json.loads(read_service(url, _TIMEOUT_S, key_header(settings)))
    except (OSError, ValueError):
        return None
    return {name: _states(entry) for name, entry in document.items() if isinstance(entry, dict)}


def _states(entry: dict[str, Any]) -> tuple[VersionState, ...]:
    return tuple(_state(status) for status in entry.get("model_version_status", ()))


def _state(status: dict[str, Any]) -> VersionState:
    reason = str(status.get("status", {}).get("error_message", ""))
    return VersionState(
        version=int(status.get("version", 0)),
        state=str(status.get("state", "")),
        reason="" if reason.upper() == "OK" else reason,
    )
