"""The sinks of events, as the running analytics service has them."""

import json
from collections.abc import Iterator
from typing import Any

from camfleet.cli.checks.finding import Finding
from camfleet.fleet_access import page_address
from camfleet_contracts.direct import read_service
from camfleet_contracts.keys import KeyStore
from camfleet_contracts.settings import FleetSettings

_TIMEOUT_S = 2.0


def check_sinks(settings: FleetSettings) -> Iterator[Finding]:
    """One finding a sink; none while analytics does not run."""
    keys = settings.state_dir / "keys.json"
    if not keys.is_file():
        return
    url = f"{page_address(settings, settings.streamer_port)}/v1/status"
    header = {"x-api-key": KeyStore(keys).fleet_secret()}
    try:
        status = json.loads(read_service(url, _TIMEOUT_S, header, is_here=True))
    except (OSError, ValueError):
        return
    for sink in status.get("sinks", ()):
        yield _finding(sink)


def _finding(sink: dict[str, Any]) -> Finding:
    figures = f"{sink['queued']} wait, {sink['delivered']} delivered, {sink['dropped']} dropped"
    reason = f": {sink['reason']}" if sink["reason"] else ""
    is_bad = sink["state"] in {"waiting", "unusable"}
    text = f"{sink['state']}{reason} ({figures})"
    return Finding(f"sink {sink['name']}", "bad" if is_bad else "ok", text)
