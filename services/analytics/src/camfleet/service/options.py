"""The command line of camfleet-analytics."""

import argparse
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from camfleet_contracts.settings import LOCAL, BadSettings, FleetSettings, read_settings

OUTBOXES = ("sqlite", "memory")


@dataclass(frozen=True, slots=True)
class Options:
    """What this process was told."""

    settings: FleetSettings
    outbox: str
    port: int


def parse_options(arguments: list[str] | None = None) -> Options:
    """The command line over the environment; ends the process with a message when it is wrong."""
    parser = argparse.ArgumentParser(
        prog="camfleet-analytics", description="Detects, tracks, counts and publishes."
    )
    told = f"camfleet-analytics {version('camfleet')}"
    parser.add_argument("--version", action="version", version=told, help="print it and end")
    parser.add_argument("--cameras", type=Path, metavar="FILE", help="cameras.yaml to follow")
    parser.add_argument("--port", type=int, help="HTTP port (5000); 0 takes a free one")
    parser.add_argument("--bind", metavar="ADDRESS", help="address to listen on (127.0.0.1)")
    parser.add_argument("--server", help="model server: host:port, a list, dns:/// or unix://")
    parser.add_argument("--capture", metavar="URL", help="capture; rtsp://127.0.0.1:8554")
    parser.add_argument("--capture-http", metavar="URL", help="capture's HTTP side")
    parser.add_argument("--state", type=Path, metavar="FOLDER", help="keys, outbox, device id")
    parser.add_argument(
        "--outbox", choices=OUTBOXES, default="sqlite", help="where events are kept"
    )
    given = parser.parse_args(arguments)
    try:
        settings = _settings_of(given)
    except BadSettings as error:
        parser.error(str(error))
    return Options(settings, given.outbox, settings.streamer_port)


def _settings_of(given: argparse.Namespace) -> FleetSettings:
    settings = read_settings(
        cameras=given.cameras,
        streamer_port=given.port,
        bind_address=given.bind,
        server=given.server,
        capture=given.capture,
        capture_http=given.capture_http,
        state_dir=given.state,
    )
    if settings.server == LOCAL:
        raise BadSettings(
            "CAMFLEET_SERVER: local is a model server of a script's own; name the fleet's, "
            "host:port, with --server or CAMFLEET_SERVER"
        )
    return settings
