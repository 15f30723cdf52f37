"""An application's own folders: models, state, cache and output below its var/."""

from dataclasses import dataclass
from pathlib import Path

from camfleet.apps.application import Application
from camfleet.cli.errors import CommandError
from camfleet.cli.volume_seed import find_seed
from camfleet_contracts.files import write_atomically
from camfleet_contracts.settings import FleetSettings, read_settings

VAR = "var"
_OWN = {"models_dir": "models", "state_dir": "state", "cache_dir": "cache"}


@dataclass(frozen=True, slots=True)
class Volume:
    """Where an application's models are; `is_own` is False where MODELS_DIR names a fleet's."""

    settings: FleetSettings
    is_own: bool


def volume_of(application: Application, *, own: bool = False) -> Volume:
    """The environment's settings, with folders of the application where it names none.

    Args:
        application: whose folders.
        own: True takes the application's models folder whatever MODELS_DIR says.
    """
    named = read_settings().model_fields_set
    var = application.folder / VAR
    told: dict[str, Path | int] = {
        field: var / name
        for field, name in _OWN.items()
        if field not in named or (own and field == "models_dir")
    }
    is_own = "models_dir" in told
    if is_own:
        told["rest_port"] = 0  # no server follows this folder: nothing is to wait for one
    return Volume(read_settings(**told), is_own)


def prepare_volume(volume: Volume) -> None:
    """Give an application's own folder a catalogue to pull from; models come one by one.

    Raises:
        CommandError: no catalogue is at hand.
    """
    folder = volume.settings.models_dir
    if not volume.is_own or (folder / "catalog.json").is_file():
        return
    seed = find_seed("models")
    if seed is None:
        raise CommandError(
            f"{folder} has no catalog.json and no seed was found; set MODELS_DIR to the volume of "
            "a fleet, or copy its catalog.json there"
        )
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / "catalog.json", (seed / "catalog.json").read_text())
    if not (folder / "config.json").is_file():
        write_atomically(folder / "config.json", '{"model_config_list": []}\n')


def python_folder(application: Application) -> Path:
    """The virtual environment with what requirements.txt asks for."""
    return application.folder / ".venv"
