"""`camfleet camera list`."""

from typing import Any

from rich.markup import escape

from camfleet.cli.capture_client import camera_states
from camfleet.cli.console import note, out, print_json, table
from camfleet.cli.volume_seed import ensure_catalog
from camfleet_contracts.cameras import Camera
from camfleet_contracts.cameras_file import read_cameras
from camfleet_contracts.direct import capture_http_address
from camfleet_contracts.redaction import redact
from camfleet_contracts.settings import FleetSettings

_COLOURS = {"LIVE": "green", "CONNECTING": "yellow", "STALLED": "yellow"}


def print_cameras(settings: FleetSettings, *, as_json: bool) -> None:
    """The cameras of the file and what capture says of each."""
    ensure_catalog(settings)
    cameras = read_cameras(settings.cameras_file, settings).cameras
    states = camera_states(settings)
    if as_json:
        print_json([_document(camera, (states or {}).get(camera.name)) for camera in cameras])
        return
    shown = table("camera", "source", "model", "fps", "state")
    for camera in cameras:
        shown.add_row(
            camera.name,
            escape(redact(camera.source)),
            camera.pipeline.model,
            f"{camera.pipeline.fps:g}",
            _state_cell((states or {}).get(camera.name), answered=states is not None),
        )
    out.print(shown)
    if states is None:
        note(
            f"capture does not answer at {capture_http_address(settings)}; `camfleet up` starts it"
        )


def _document(camera: Camera, state: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "name": camera.name,
        "source": redact(camera.source),
        "enabled": camera.enabled,
        "pipeline": camera.pipeline.model_dump(by_alias=True),
        "state": state,
    }


def _state_cell(state: dict[str, Any] | None, *, answered: bool) -> str:
    if state is None:
        return "-" if answered else "?"
    name = str(state.get("state", ""))
    size = f" {state['width']}x{state['height']}" if state.get("width") else ""
    reason = f": {escape(str(state['reason']))}" if state.get("reason") else ""
    return f"[{_COLOURS.get(name, 'red')}]{name}[/]{size}{reason}"
