"""Commands that change the volume or config.json."""

import shutil
from pathlib import Path

from camfleet.catalog.pull import pull_model
from camfleet.catalog.serving import serve_model, stop_serving
from camfleet.cli.console import note
from camfleet.cli.errors import CommandError
from camfleet.cli.progress import progress_bars
from camfleet.cli.volume_seed import ensure_catalog
from camfleet_contracts.names import split_version, stored_name
from camfleet_contracts.settings import FleetSettings
from camfleet_contracts.volume import versions_of


def pull_and_serve(settings: FleetSettings, model_id: str, *, serve: bool) -> None:
    """Pull a model with progress bars; what it is called and where it went is said."""
    ensure_catalog(settings)
    with progress_bars() as report:
        pulled = pull_model(settings, model_id, report)
    if pulled.name != pulled.entry.name:
        note(f"{model_id} is here {pulled.entry.name}: {pulled.entry.description}")
    for warning in pulled.warnings:
        note(f"{pulled.name}: {warning}")
    unknown = [file.path for file in pulled.entry.files if not file.sha256]
    if pulled.is_new and unknown:
        note(
            f"{pulled.name}: the catalogue knows no sha256 of {', '.join(unknown)}; what came is "
            "pinned (pulled_from in its model.json)"
        )
    what = "published" if pulled.is_new else "on the volume already"
    added = serve and serve_model(settings.models_dir, pulled.name)
    served = ", added to config.json" if added else ""
    note(f"{pulled.name} version {pulled.version_folder.name} {what}{served}")
    runtimes = pulled.entry.manifest.get("runtimes", ())
    if runtimes:
        note(
            f"{pulled.name} needs the runtime {' or '.join(runtimes)}; `camfleet model list` shows "
            "whether the server has it"
        )


def add_model(settings: FleetSettings, model_id: str, path: Path | None) -> None:
    """Add a model of the volume, or of a folder elsewhere, to config.json.

    Raises:
        CommandError: there is no version to serve, or it is served already.
    """
    name = _name_of(model_id)
    folder = (path or settings.models_dir / name).absolute()
    if not versions_of(folder):
        raise CommandError(
            f"model '{name}': {folder} has no version folder; put its files into {folder / '1'}"
        )
    inside = folder.is_relative_to(settings.models_dir.absolute())
    base = folder.relative_to(settings.models_dir.absolute()) if inside else folder
    if not serve_model(settings.models_dir, name, str(base)):
        raise CommandError(
            f"model '{name}' is in config.json already; `camfleet model list` shows it"
        )
    note(f"{name} added to config.json; `camfleet model list` shows when it is AVAILABLE")


def remove_model(settings: FleetSettings, model_id: str, *, files: bool) -> None:
    """Take a model out of config.json, and off the volume when asked; or delete one version.

    Raises:
        CommandError: it is neither served nor on the volume.
    """
    try:
        name, version = split_version(model_id)
    except ValueError as error:
        raise CommandError(str(error)) from error
    if version is not None:
        _remove_version(settings.models_dir / name, version, files=files)
        return
    was_served = stop_serving(settings.models_dir, name)
    folder = settings.models_dir / name
    if not was_served and not _is_model(folder):
        raise CommandError(f"model '{name}' is neither in config.json nor on the volume")
    if files and folder.is_dir():
        shutil.rmtree(folder)
        note(f"{name} removed with its files")
    elif was_served:
        note(f"{name} removed from config.json; its files stay in {folder}")
    else:
        note(f"{name} was not served; --files deletes {folder}")


def _is_model(folder: Path) -> bool:
    """Whether it has versions, or what a publisher left there; the volume has other folders too."""
    return bool(versions_of(folder)) or any(folder.glob(".*"))


def _remove_version(folder: Path, version: int, *, files: bool) -> None:
    versions = versions_of(folder)
    others = ", ".join(str(number) for number in versions if number != version)
    what = f"{folder.name} version {version}"
    if version not in versions:
        there = f"it has {others}" if others else "`camfleet model list` shows what is there"
        raise CommandError(f"{what} is not on the volume; {there}")
    if not others:
        raise CommandError(
            f"{what} is its only one; `camfleet model remove {folder.name}` takes out the model"
        )
    if not files:
        raise CommandError(
            f"{what} is there to be served as long as its files are; --files deletes {folder.name}/"
            f"{versions[version].name} and leaves {others}"
        )
    shutil.rmtree(versions[version])
    note(f"{what} removed with its files; {others} stays. `camfleet model list` shows the server")


def _name_of(model_id: str) -> str:
    try:
        return stored_name(model_id)
    except ValueError as error:
        raise CommandError(str(error)) from error
