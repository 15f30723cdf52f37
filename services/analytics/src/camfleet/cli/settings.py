"""The settings as a command sees them: services nobody named are those of this machine."""

from pathlib import Path

from camfleet.cli.errors import CommandError
from camfleet.cli.fleet.run_record import running_settings
from camfleet_contracts.settings import LOCAL, FleetSettings, read_settings

WHICH_FLEET = (
    "run this where `camfleet up` was started, or name that fleet with "
    "CAMFLEET_STATE=<folder>/var/state"
)
_LOOPBACK = "127.0.0.1"


def command_settings() -> FleetSettings:
    """The environment's settings, and where it is silent those of the fleet that runs here.

    Addresses that are not given follow the ports.
    """
    given = new_fleet_settings()
    running = running_settings(given.state_dir)
    told = {name: value for name, value in running.items() if name not in given.model_fields_set}
    return _with_addresses(read_settings(**told))


def fleet_settings() -> FleetSettings:
    """The settings of `command_settings`, for what is of no use where no fleet is.

    Raises:
        CommandError: the working folder has no fleet, and the environment names none.
    """
    settings = command_settings()
    is_named = settings.model_fields_set & {"models_dir", "state_dir", "cameras"}
    if not is_named and not settings.state_dir.exists() and not settings.models_dir.exists():
        raise CommandError(
            f"no fleet in {Path.cwd()}: there is neither {settings.state_dir} nor "
            f"{settings.models_dir}; {WHICH_FLEET} (and MODELS_DIR=<folder>/var/models while it "
            "does not run); `camfleet up` starts one here, and "
            f"CAMFLEET_STATE={settings.state_dir} prepares one before that"
        )
    return settings


def new_fleet_settings(*, models: Path | None = None, state: Path | None = None) -> FleetSettings:
    """The environment's settings, whatever runs here already; addresses follow the ports."""
    return _with_addresses(read_settings(models_dir=models, state_dir=state))


def _with_addresses(settings: FleetSettings) -> FleetSettings:
    """`local` is for scripts: what needs a fleet's server asks that of this machine."""
    addresses = {
        "server": f"{_LOOPBACK}:{settings.grpc_port}",
        "capture": f"rtsp://{_LOOPBACK}:{settings.rtsp_port}",
    }
    given = settings.model_fields_set - ({"server"} if settings.server == LOCAL else set())
    if not given & {"capture", "capture_http"}:
        addresses["capture_http"] = f"http://{_LOOPBACK}:{settings.capture_http_port}"
    return settings.model_copy(
        update={name: address for name, address in addresses.items() if name not in given}
    )
