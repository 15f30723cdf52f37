"""`camfleet model sync`: an application's models, on the volume and served."""

import json
from pathlib import Path
from typing import Any

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

APP_FILES = ("camfleet.app.json", "alwaysai.app.json")
LOCAL_FOLDER = "models"  # of an application: models that are published nowhere else


def sync(settings: FleetSettings, application: Path) -> None:
    """Bring every model that an application names onto the volume and into config.json.

    Raises:
        CommandError: the application cannot be read, or some of its models cannot be had; the
            others are there then.
    """
    models = models_of(application)
    ensure_catalog(settings)
    shown = table("model", "version", "")
    missing = []
    for model_id, version in models.items():
        try:
            outcome = _bring(settings, application, model_id, version)
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


def models_of(application: Path) -> dict[str, int | None]:
    """The models an application names, with the version it wants (None: any).

    Raises:
        CommandError: there is no application, or its file is not as it must be.
    """
    folder = application if application.is_dir() else application.parent
    path = next((folder / name for name in APP_FILES if (folder / name).is_file()), None)
    if path is None:
        raise CommandError(f"{folder} is no application: it has no {' or '.join(APP_FILES)}")
    try:
        document = json.loads(path.read_text())
        models: dict[str, Any] = document.get("models", {})
        return {model_id: _version(value) for model_id, value in models.items()}
    except (ValueError, AttributeError, TypeError) as error:
        raise CommandError(
            f'{path}: `models` must map ids to version numbers, as {{"user/name": 3}} ({error})'
        ) from error


def _version(value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise TypeError(f"{value!r} is no version")
    return value


def _bring(settings: FleetSettings, application: Path, model_id: str, version: int | None) -> str:
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
