"""The seed of the model volume, as the command finds it."""

from pathlib import Path

from camfleet.cli.console import note
from camfleet.cli.errors import CommandError
from camfleet_contracts.seed import seed_folder
from camfleet_contracts.settings import FleetSettings

_IMAGE = Path("/usr/share/camfleet")  # where our images keep their seed


def seed_volume(settings: FleetSettings, seed: Path | None) -> None:
    """Bring the model volume up to the seed; what a user changed stays.

    Raises:
        CommandError: there is neither a seed nor a volume.
    """
    source = seed or find_seed("models")
    if source is None:
        if not (settings.models_dir / "config.json").is_file():
            raise CommandError(
                f"{settings.models_dir} has no config.json and no seed was found; run from the "
                "project's folder or give --seed DIR"
            )
        return
    for name in seed_folder(source, settings.models_dir).kept:
        note(f"seed: {settings.models_dir / name} was changed here and is left as it is")


def ensure_catalog(settings: FleetSettings) -> None:
    """Seed a volume that has no catalogue yet, so that `pull` works before the first `up`.

    Somebody who is in the wrong folder reads so.
    """
    if not (settings.models_dir / "catalog.json").is_file():
        seed_volume(settings, None)
        note(words_of_a_new_volume(settings))


def catalog_to_look_at(settings: FleetSettings) -> Path:
    """The volume's catalogue, or the seed's where there is none; a look makes no volume."""
    own, seed = settings.models_dir / "catalog.json", find_seed("models")
    return own if seed is None or own.is_file() else seed / "catalog.json"


def words_of_a_new_volume(settings: FleetSettings) -> str:
    """What somebody reads who may be in the wrong folder."""
    return f"made the model volume {settings.models_dir.absolute()}; MODELS_DIR names another"


def find_seed(folder: str) -> Path | None:
    """`<folder>` of the working folder, else of the checkout or image this package is from."""
    here = Path(__file__).resolve()
    checkouts = (p for p in here.parents if (p / "services").is_dir())
    places = (Path.cwd(), *checkouts, _IMAGE)
    roots = (root for root in places if (root / "models" / "catalog.json").is_file())
    return next((root / folder for root in roots if (root / folder).is_dir()), None)
