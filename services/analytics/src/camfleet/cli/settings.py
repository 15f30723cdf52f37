"""The settings as a command sees them: services nobody named are those of this machine."""

from pathlib import Path

from camfleet.cli.fleet.run_record import running_settings
from camfleet_contracts.settings import FleetSettings, read_settings

_LOOPBACK = "127.0.0.1"


def command_settings(*, models: Path | None = None, state: Path | None = None) -> FleetSettings:
    """The environment's settings, and where it is silent those of the fleet that runs here.

    Addresses that are not given follow the ports.
    """
    given = new_fleet_settings(models=models, state=state)
    running = running_settings(given.state_dir)
    told = {name: value for name, value in running.items() if name not in given.model_fields_set}
    settings = read_settings(state_dir=state, **({"models_dir": models} | told))
    return _with_addresses(settings)


def new_fleet_settings(*, models: Path | None = None, state: Path | None = None) -> FleetSettings:
    """The environment's settings, whatever runs here already; addresses follow the ports."""
    return _with_addresses(read_settings(models_dir=models, state_dir=state))


def _with_addresses(settings: FleetSettings) -> FleetSettings:
    addresses = {
        "server": f"{_LOOPBACK}:{settings.grpc_port}",
        "capture": f"rtsp://{_LOOPBACK}:{settings.rtsp_port}",
    }
    given = settings.model_fields_set
    if not given & {"capture", "capture_http"}:
        addresses["capture_http"] = f"http://{_LOOPBACK}:{settings.capture_http_port}"
    return settings.model_copy(
        update={name: address for name, address in addresses.items() if name not in given}
    )
