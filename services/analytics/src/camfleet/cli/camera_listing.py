"""`camfleet camera list`."""

from typing import Any

from rich.markup import escape

from camfleet.cli.capture_client import camera_states
from camfleet.cli.console import note, out, print_json, print_reasons, table
from camfleet.cli.fleet.run_record import running_pid
from camfleet.cli.settings import WHICH_FLEET
from camfleet.cli.volume_seed import ensure_catalog
from camfleet_contracts.cameras import Camera
from camfleet_contracts.cameras_file import read_cameras
from camfleet_contracts.direct import capture_http_address
from camfleet_contracts.redaction import redact
from camfleet_contracts.settings import FleetSettings

_COLOURS = {"LIVE": "green", "CONNECTING": "yellow", "STALLED": "yellow"}

_Row = tuple[str, Camera, dict[str, Any] | None]


def print_cameras(settings: FleetSettings, *, as_json: bool) -> None:
    """The cameras of the file and what capture says of each."""
    ensure_catalog(settings)
    cameras = read_cameras(settings.cameras_file, settings).cameras
    states = camera_states(settings)
    rows = [row for camera in cameras for row in _rows_of(camera, states or {})]
    if as_json:
        print_json([_document(camera, state) | {"name": name} for name, camera, state in rows])
        return
    if not rows:
        note(f"{settings.cameras_file} has no cameras; `camfleet camera add NAME SOURCE` adds one")
        return
    shown = table("camera", "source", "model", "fps", "state")
    for name, camera, state in rows:
        shown.add_row(
            name,
            escape(redact(camera.source)),
            camera.pipeline.model,
            f"{camera.pipeline.fps:g}",
            _state_cell(state, answered=states is not None),
        )
    out.print(shown)
    print_reasons((name, (state or {}).get("reason")) for name, _, state in rows)
    address = capture_http_address(settings)
    if states is None:
        note(f"capture does not answer at {address}; `camfleet up` starts it")
    elif states and not any(state for _, _, state in rows) and not running_pid(settings.state_dir):
        note(
            f"capture at {address} has none of these cameras, but {', '.join(states)}: it may "
            f"belong to another fleet than {settings.cameras_file.absolute()}; {WHICH_FLEET}"
        )


def _rows_of(camera: Camera, states: dict[str, dict[str, Any]]) -> list[_Row]:
    """An entry and its state; of `auto` each camera that is plugged in."""
    own = {name: state for name, state in states.items() if state.get("entry", name) == camera.name}
    return [(name, camera, state) for name, state in own.items()] or [(camera.name, camera, None)]


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
    return f"[{_COLOURS.get(name, 'red')}]{name}[/]{size}"
