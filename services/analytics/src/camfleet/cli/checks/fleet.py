"""Ports, cameras, the volume, the services."""

import urllib.error
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

from camfleet.cli.capture_client import camera_states, key_header
from camfleet.cli.checks.finding import Finding
from camfleet.cli.fleet.plan import fleet_ports
from camfleet.cli.fleet.ports import taken_ports
from camfleet.cli.fleet.run_record import running_pid
from camfleet.cli.server_status import VersionState, served_models
from camfleet.fleet_access import page_address
from camfleet_contracts.cameras_file import BadCameras, read_cameras
from camfleet_contracts.direct import capture_http_address, read_service, server_rest_address
from camfleet_contracts.serving_config import BadServingConfig, read_serving_config
from camfleet_contracts.settings import FleetSettings
from camfleet_contracts.volume import versions_of

_CONFIG = "config.json"
_TIMEOUT_S = 2.0
_VIDEO4LINUX = Path("/sys/class/video4linux")


def check_ports(settings: FleetSettings) -> Iterator[Finding]:
    """Whether `camfleet up` could start; a running fleet holds them itself."""
    ports = fleet_ports(settings, workbench=True)
    numbers = ", ".join(str(port.number) for port in ports)
    pid = running_pid(settings.state_dir)
    if pid is not None:
        yield Finding("ports", "ok", f"{numbers} are those of the running fleet (pid {pid})")
        return
    taken = taken_ports(ports)
    if not taken:
        yield Finding("ports", "ok", f"{numbers} are free")
    elif found := _fleet_finding(settings, numbers):
        yield found
        return
    for fault in taken:
        holder = fault.holder or "somebody who cannot be seen"
        yield Finding(f"port {fault.port.number}", "note", f"{fault.reason} by {holder}")


def _fleet_finding(settings: FleetSettings, numbers: str) -> Finding | None:
    """Whose page answers: this fleet's (in containers, say) or another one's; None: nobody's."""
    url = f"{page_address(settings, settings.streamer_port)}/v1/status"
    try:
        read_service(url, _TIMEOUT_S, key_header(settings), is_here=True)
    except urllib.error.HTTPError as error:
        if error.code != HTTPStatus.UNAUTHORIZED:
            return None
    except OSError:
        return None
    else:
        return Finding("ports", "ok", f"{numbers} are those of the running fleet")
    way = "give one of them ports of its own (STREAMER_PORT and the others, docs/deploy.md)"
    text = f"another fleet answers at {url}, which does not know the keys in {settings.state_dir}"
    return Finding("ports", "bad", f"{text}; {way}")


def check_devices() -> Iterator[Finding]:
    """Cameras at this machine."""
    devices = sorted(Path("/dev").glob("video*"))
    if not devices:
        yield Finding("cameras here", "note", "no /dev/video*; network cameras and files need none")
    for device in devices:
        name = _VIDEO4LINUX / device.name / "name"
        title = name.read_text().strip() if name.is_file() else "camera"
        yield Finding(str(device), "ok", title)


def check_volume(settings: FleetSettings) -> Iterator[Finding]:
    """config.json and the models it names."""
    if not settings.models_dir.is_dir():
        yield Finding("model volume", "note", f"{settings.models_dir} is made by `camfleet up`")
        return
    try:
        config = read_serving_config(settings.models_dir / "config.json")
    except BadServingConfig as error:
        yield Finding("config.json", "bad", str(error))
        return
    for fault in config.told_entry_faults:
        yield Finding("config.json", "bad", fault)
    for warning in config.warnings:
        yield Finding("config.json", "note", warning)
    for model in config.models:
        if not versions_of(model.base_path):
            way = f"put its files into {model.base_path / '1'} or remove it from config.json"
            yield Finding(model.name, "bad", f"no version there; {way}")
    names = ", ".join(model.name for model in config.models) or "nothing"
    yield Finding("model volume", "ok", f"{settings.models_dir} serves {names}")


def check_cameras(settings: FleetSettings) -> Iterator[Finding]:
    """cameras.yaml, and what capture says of each camera."""
    if not settings.cameras_file.is_file():
        yield Finding("cameras.yaml", "note", f"{settings.cameras_file} is made by `camfleet up`")
        return
    try:
        cameras = read_cameras(settings.cameras_file, settings).cameras
    except BadCameras as error:
        yield Finding("cameras.yaml", "bad", str(error))
        return
    yield Finding("cameras.yaml", "ok", ", ".join(camera.name for camera in cameras) or "empty")
    states = camera_states(settings)
    if states is None:
        yield Finding("capture", "note", f"does not answer at {capture_http_address(settings)}")
        return
    for name, state in states.items():
        live = state.get("state") == "LIVE"
        text = " ".join(str(part) for part in (state.get("state"), state.get("reason")) if part)
        yield Finding(f"camera {name}", "ok" if live else "bad", text)


def check_server(settings: FleetSettings) -> Iterator[Finding]:
    """The model server and the state of each version it knows."""
    models = served_models(settings)
    if models is None:
        yield Finding("model server", "note", f"does not answer at {server_rest_address(settings)}")
        return
    yield Finding("model server", "ok", server_rest_address(settings))
    for name, states in sorted(models.items()):
        if name == _CONFIG:  # how the server shows a refused one; `check_volume` has named it
            continue
        if not states:
            yield Finding(f"model {name}", "bad", "no version is known")
        for state in states:
            yield _version_finding(name, state)


def _version_finding(name: str, state: VersionState) -> Finding:
    failed = state.state != "AVAILABLE" and bool(state.reason)
    text = f"version {state.version} {state.state} {state.reason}".rstrip()
    return Finding(f"model {name}", "bad" if failed else "ok", text)
