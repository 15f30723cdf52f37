"""`camfleet camera test`: open a source and say what comes."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from camfleet.cli.capture_client import camera_states
from camfleet.cli.console import out, print_json
from camfleet.cli.errors import CommandError
from camfleet.cli.media import pixels_of
from camfleet.cli.pictures import write_picture
from camfleet.video.look import DIRECT, NothingCame, look_at
from camfleet_contracts.cameras import Camera, source_kind
from camfleet_contracts.cameras_file import BadCameras, read_cameras
from camfleet_contracts.redaction import redact
from camfleet_contracts.secret_references import resolve_credentials, with_login
from camfleet_contracts.settings import FleetSettings, environment_of


def test_camera(
    settings: FleetSettings, text: str, *, save: Path | None, timeout_s: float, as_json: bool
) -> None:
    """Open a camera or source, report, and save a picture if asked.

    Raises:
        CommandError: nothing came, with the reason and without any password.
    """
    address = address_of(settings, text)
    try:
        finding, picture = look_at(address, timeout_s)
    except NothingCame as error:
        raise CommandError(str(error)) from error
    finding = replace(finding, remark=_told_by_capture(settings, text).get("reason"))
    if save:
        write_picture(save, pixels_of(picture))
    if as_json:
        print_json(asdict(finding) | {"saved": str(save) if save else None})
        return
    out.print(
        f"{finding.source}: {finding.codec} {finding.width}x{finding.height}, "
        f"{finding.fps:.3g} frames/s, first picture after {finding.first_picture_s:.2f} s",
        markup=False,
    )
    if finding.remark:
        out.print(f"but: {finding.remark}", markup=False)
    if save:
        out.print(f"saved {save}", markup=False)


def address_of(settings: FleetSettings, text: str) -> str:
    """What PyAV is to open: capture's stream of a camera it has, else the source itself."""
    if told := _told_by_capture(settings, text):
        if told.get("state") != "LIVE" and told.get("reason"):
            raise CommandError(f"camera '{told['name']}' is {told['state']}: {told['reason']}")
        return f"{settings.capture.rstrip('/')}/{quote(str(told['name']))}"
    camera = _camera_of(settings, text)
    source = camera.source if camera else text
    try:
        kind = source_kind(source)
    except ValueError as error:
        raise CommandError(f"{redact(text)}: {error}") from error
    if camera is None and kind == "file" and not Path(text).exists():
        raise CommandError(
            f"{text}: neither a camera of {settings.cameras_file} nor a file; `camfleet camera "
            "list` shows the cameras"
        )
    if kind not in DIRECT and camera:
        raise CommandError(
            f"camera '{camera.name}': only capture opens a {kind} source, and it does not answer "
            "or has not taken the camera up yet; start the fleet with `camfleet up`"
        )
    if kind not in DIRECT:
        raise CommandError(
            f"{text}: only capture opens a {kind} source; add it with `camfleet camera add NAME "
            f"{text}`, start the fleet with `camfleet up`, then test the camera by its name"
        )
    return _with_credentials(source, camera, settings)


def _told_by_capture(settings: FleetSettings, text: str) -> dict[str, Any]:
    """What capture says of this camera, or of the first one of this `auto` entry, if it does."""
    camera, states = _camera_of(settings, text), camera_states(settings) or {}
    name = camera.name if camera else text
    own = [state for key, state in states.items() if name in {key, state.get("entry")}]
    live = (state for state in own if state.get("state") == "LIVE")
    return next(live, own[0] if own else {})


def _camera_of(settings: FleetSettings, text: str) -> Camera | None:
    """The camera of this name or with this source, if cameras.yaml can be read and has it."""
    try:
        cameras = read_cameras(settings.cameras_file, settings).cameras
    except BadCameras:
        return None
    return next((camera for camera in cameras if text in {camera.name, camera.source}), None)


def _with_credentials(source: str, camera: Camera | None, settings: FleetSettings) -> str:
    if camera is None or camera.credentials is None:
        return source
    try:
        pair = resolve_credentials(camera.credentials, environment_of(settings))
    except ValueError as error:
        raise CommandError(f"camera '{camera.name}': {error}") from error
    return source if pair is None else with_login(source, pair)
