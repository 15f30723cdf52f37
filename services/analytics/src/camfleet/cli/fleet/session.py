"""One run of `camfleet up`, from the seed to the end of the last process."""

import signal
from dataclasses import dataclass
from pathlib import Path

from rich.text import Text

from camfleet.catalog.pull import pull_model
from camfleet.catalog.serving import serve_model
from camfleet.cli.console import err, note
from camfleet.cli.errors import CommandError
from camfleet.cli.fleet.banner import banner
from camfleet.cli.fleet.child import ServiceSpec
from camfleet.cli.fleet.plan import fleet_environment, fleet_ports, fleet_services
from camfleet.cli.fleet.ports import taken_ports, way_out
from camfleet.cli.fleet.run_cameras import FILE_NAME, write_run_cameras
from camfleet.cli.fleet.run_record import recorded_run, refuse_second_run
from camfleet.cli.fleet.supervisor import ServiceFailedToStart, Supervisor
from camfleet.cli.links import key_store
from camfleet.cli.progress import progress_bars
from camfleet.cli.volume_seed import seed_volume
from camfleet_contracts.names import split_version, stored_name
from camfleet_contracts.settings import FleetSettings
from camfleet_contracts.volume import versions_of

DEFAULT_MODEL = "fastestdet-coco"
_NAME_WIDTH = 9
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class FleetOptions:
    """What the user asked of this run."""

    sources: tuple[str, ...] = ()
    model: str = ""
    workbench: bool = True
    seed: Path | None = None


def run_fleet(settings: FleetSettings, options: FleetOptions) -> None:
    """Prepare the volume, check the ports, run until a signal comes.

    Raises:
        CommandError: something the user can mend, said before anything was started.
    """
    settings = absolute(settings)
    refuse_second_run(settings.state_dir)
    _refuse_taken_ports(settings, workbench=options.workbench)
    seed_volume(settings, options.seed)
    if options.sources:
        settings = _with_own_cameras(settings, options)
    elif options.model:
        raise CommandError("--model names the model of --cameras; give --cameras too")
    key_store(settings)
    with recorded_run(settings):
        _supervise(settings, workbench=options.workbench)


def absolute(settings: FleetSettings) -> FleetSettings:
    """The settings with folders that do not depend on where a service runs."""
    names = ("models_dir", "state_dir", "cache_dir", "recordings_dir", "notebooks_dir")
    folders = {name: getattr(settings, name).absolute() for name in names}
    return settings.model_copy(update=folders)


def _refuse_taken_ports(settings: FleetSettings, *, workbench: bool) -> None:
    taken = taken_ports(fleet_ports(settings, workbench=workbench))
    if taken:
        lines = [*(fault.line() for fault in taken), way_out(taken)]
        raise CommandError("\n       ".join(lines))


def _with_own_cameras(settings: FleetSettings, options: FleetOptions) -> FleetSettings:
    model = options.model or DEFAULT_MODEL
    path = settings.models_dir / FILE_NAME
    try:
        split_version(model)
    except ValueError as error:
        raise CommandError(f"--model: {error}") from error
    write_run_cameras(path, options.sources, model, settings.state_dir)
    _ensure_served(settings, model.partition(":")[0])
    return settings.model_copy(update={"cameras": path})


def _ensure_served(settings: FleetSettings, model_id: str) -> None:
    name = stored_name(model_id)
    if not versions_of(settings.models_dir / name):
        with progress_bars() as report:
            pulled = pull_model(settings, model_id, report)
        for warning in pulled.warnings:
            note(f"{name}: {warning}")
    serve_model(settings.models_dir, name)


def _supervise(settings: FleetSettings, *, workbench: bool) -> None:
    services = fleet_services(settings, workbench=workbench)
    fleet = Supervisor(services, fleet_environment(settings), _print_line, note)
    previous = {number: signal.signal(number, lambda *_: fleet.end()) for number in _SIGNALS}
    note("starting " + ", ".join(service.name for service in services) + " ...")
    try:
        fleet.run(lambda: err.print(banner(settings, workbench=workbench)))
    except ServiceFailedToStart as error:
        raise CommandError(str(error)) from error
    finally:
        for number, action in previous.items():
            signal.signal(number, action)
    note("the fleet has ended")


def _print_line(service: ServiceSpec, line: str) -> None:
    err.print(Text.assemble((f"{service.name:<{_NAME_WIDTH}} ", service.colour), line))
