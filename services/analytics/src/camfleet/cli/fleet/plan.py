"""Which services a fleet has, on which ports, with which settings."""

import sys
from importlib.util import find_spec

from camfleet.cli.errors import CommandError
from camfleet.cli.fleet.child import ServiceSpec
from camfleet.cli.fleet.ports import Port
from camfleet_contracts.access import speaks_tls
from camfleet_contracts.settings import FleetSettings, environment_of

_LOOPBACK = "127.0.0.1"
_COLOURS = {"server": "magenta", "capture": "green", "analytics": "cyan", "jupyter": "yellow"}
_MODULES = {
    "server": "camfleet_server",
    "capture": "camfleet_capture",
    "analytics": "camfleet.service",
    "jupyter": "camfleet_workbench",
}


def fleet_ports(settings: FleetSettings, *, workbench: bool) -> tuple[Port, ...]:
    """The ports that the local services will listen on."""
    page = settings.bind_address
    ports = (
        Port("capture", "camera streams", "RTSP_PORT", _LOOPBACK, settings.rtsp_port),
        Port("capture", "state", "CAPTURE_HTTP_PORT", _LOOPBACK, settings.capture_http_port),
        Port("model server", "gRPC", "GRPC_PORT", _LOOPBACK, settings.grpc_port),
        Port("model server", "REST", "REST_PORT", _LOOPBACK, settings.rest_port),
        Port("analytics", "page", "STREAMER_PORT", page, settings.streamer_port),
        Port("workbench", "Jupyter", "JUPYTER_PORT", page, settings.jupyter_port),
    )
    return ports if workbench else ports[:-1]


def fleet_services(settings: FleetSettings, *, workbench: bool) -> tuple[ServiceSpec, ...]:
    """What to start, in this order.

    Raises:
        CommandError: a service is not installed in this environment.
    """
    services = (
        _service(
            "server",
            _health_url("http", _LOOPBACK, settings.rest_port),
            f"--config_path={settings.models_dir / 'config.json'}",
            f"--port={settings.grpc_port}",
            f"--rest_port={settings.rest_port}",
        ),
        _service(
            "capture",
            _health_url("http", _LOOPBACK, settings.capture_http_port),
            f"--cameras={settings.cameras_file}",
        ),
        _service(
            "analytics",
            _page_health_url(settings, settings.streamer_port),
            f"--cameras={settings.cameras_file}",
            ends_first=True,
        ),
    )
    return (*services, _jupyter(settings)) if workbench else services


def fleet_environment(settings: FleetSettings) -> dict[str, str]:
    """The environment of all services: what these settings say, given or not."""
    environment = environment_of(settings) | {"PYTHONUNBUFFERED": "1"}
    for name in ("NO_PROXY", "no_proxy"):  # what is said on this machine needs no proxy
        given = environment.get(name, "")
        environment[name] = f"{given},{_LOOPBACK},localhost".lstrip(",")
    return environment


def _jupyter(settings: FleetSettings) -> ServiceSpec:
    return ServiceSpec(
        name="jupyter",
        command=_command("jupyter", f"--port={settings.jupyter_port}"),
        ready_url=_page_health_url(settings, settings.jupyter_port),
        colour=_COLOURS["jupyter"],
        essential=False,
        after_ready=True,
    )


def page_host(settings: FleetSettings) -> str:
    """Where this machine itself reaches the page: loopback unless one address is bound."""
    anywhere = {"0.0.0.0", "::", ""}  # noqa: S104 - compared with, not bound to
    return _LOOPBACK if settings.bind_address in anywhere else settings.bind_address


def _page_health_url(settings: FleetSettings, port: int) -> str:
    scheme = "https" if speaks_tls(settings.bind_address, settings) else "http"
    return _health_url(scheme, page_host(settings), port)


def _health_url(scheme: str, host: str, port: int) -> str:
    """Where a service answers once it listens: a typo in a file must not hide the login link."""
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}/healthz"


def _service(name: str, ready_url: str, *arguments: str, ends_first: bool = False) -> ServiceSpec:
    command = _command(name, *arguments)
    return ServiceSpec(name, command, ready_url, _COLOURS[name], ends_first=ends_first)


def _command(name: str, *arguments: str) -> tuple[str, ...]:
    module = _MODULES[name]
    if find_spec(module) is None:
        raise CommandError(f"{module} is not installed in this environment; run `make setup`")
    return (sys.executable, "-m", module, *arguments)
