"""`camfleet model sync`: an application's models, on the volume and served."""

from pathlib import Path

from camfleet.apps.application import read_application
from camfleet.catalog.errors import CatalogError
from camfleet.catalog.pull import pull_model
from camfleet.catalog.serving import serve_model
from camfleet.cli.console import out, table
from camfleet.cli.errors import CommandError
from camfleet.cli.packages.publish import PublishOptions, publish
from camfleet.cli.progress import progress_bars
from camfleet.cli.volume_seed import ensure_catalog
from camfleet_contracts.names import stored_name
from camfleet_contracts.settings import FleetSettings
from camfleet_contracts.volume import versions_of

LOCAL_FOLDER = "models"  # of an application: models that are published nowhere else


def sync(settings: FleetSettings, application: Path) -> None:
    """Bring every model that an application names onto the volume and into config.json.

    Raises:
        BadApplication: its file cannot be read.
        CommandError: some of its models cannot be had; the
            others are there then.
    """
    models = read_application(application).models
    ensure_catalog(settings)
    shown = table("model", "version", "")
    missing = []
    for model_id, version in models.items():
        try:
            outcome = bring_model(settings, application, model_id, version)
        except (CatalogError, CommandError) as error:
            missing.append(model_id)
            outcome = f"missing: {error}"
        shown.add_row(model_id, "any" if version is None else str(version), outcome)
    out.print(shown)
    if missing:
        raise CommandError(
            f"{', '.join(missing)} cannot be had; pull under another name, or put the files into "
            f"{application / LOCAL_FOLDER / '<name>'} with a model.json"
        )


def bring_model(
    settings: FleetSettings, application: Path, model_id: str, version: int | None
) -> str:
    """Bring one model onto the volume and into config.json; says how.

    Raises:
        CommandError: the id is none.
        CatalogError: it is neither here, nor in the application's folder, nor to be had.
    """
    try:
        name = stored_name(model_id)
    except ValueError as error:
        raise CommandError(str(error)) from error
    present = versions_of(settings.models_dir / name)
    if present and version in {None, *present}:
        return _served(settings, name, "on the volume")
    local = next((p for p in _local_folders(application, model_id) if p.is_dir()), None)
    if local is not None:
        publish(settings, local, PublishOptions(model_id, version))
        return "published from the application"
    with progress_bars() as report:
        pulled = pull_model(settings, model_id, report)
    number = int(pulled.version_folder.name)
    wanted = "" if version in {None, number} else f" (version {version} was asked for)"
    return _served(settings, pulled.name, f"pulled as version {number}{wanted}")


def _local_folders(application: Path, model_id: str) -> tuple[Path, ...]:
    """Where alwaysAI's and our applications keep a model: by its id, or by its stored name."""
    base = application / LOCAL_FOLDER
    return base / model_id, base / stored_name(model_id)


def _served(settings: FleetSettings, name: str, how: str) -> str:
    added = serve_model(settings.models_dir, name)
    return f"{how}, added to config.json" if added else f"{how}, served"
