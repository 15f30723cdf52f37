"""`camfleet app models`: what the application's file names, and bringing it here."""

from camfleet.apps.application import Application
from camfleet.cli.app.folders import Volume, prepare_volume, volume_of
from camfleet.cli.console import note, out, print_json, table
from camfleet.cli.errors import CommandError
from camfleet.cli.model_changes import remove_model
from camfleet.cli.packages.sync import bring_model, sync
from camfleet_contracts.names import stored_name
from camfleet_contracts.volume import versions_of


def add(application: Application, model_id: str, version: int | None) -> None:
    """Bring a model here and write it into the application's file.

    Raises:
        CommandError: it cannot be had; the file is as it was.
    """
    volume = volume_of(application)
    prepare_volume(volume)
    outcome = bring_model(volume.settings, application.folder, model_id, version)
    present = versions_of(volume.settings.models_dir / stored_name(model_id))
    application.save_models({**application.models, model_id: version or max(present)})
    note(f"{model_id}: {outcome}; written to {application.file.name}")


def remove(application: Application, model_id: str) -> None:
    """Take a model out of the file, and its files out of the application's own folder.

    Raises:
        CommandError: the file does not name it.
    """
    models = application.models
    if model_id not in models:
        named = ", ".join(models) or "none"
        raise CommandError(
            f"model '{model_id}' is not in {application.file.name}; it names {named}"
        )
    del models[model_id]
    application.save_models(models)
    note(f"{model_id} removed from {application.file.name}")
    volume = volume_of(application)
    if volume.is_own and (volume.settings.models_dir / stored_name(model_id)).is_dir():
        remove_model(volume.settings, model_id, files=True)


def show(application: Application, *, as_json: bool) -> None:
    """The models the application names, and whether they are here."""
    volume = volume_of(application)
    here = {
        model_id: list(versions_of(volume.settings.models_dir / stored_name(model_id)))
        for model_id in application.models
    }
    if as_json:
        wanted = application.models
        print_json([{"id": m, "version": wanted[m], "here": here[m]} for m in wanted])
        return
    shown = table("model", "wanted", "here")
    for model_id, version in application.models.items():
        versions = ", ".join(map(str, here[model_id]))
        shown.add_row(
            model_id,
            "any" if version is None else str(version),
            versions or "no; `camfleet app models sync` brings it",
        )
    out.print(shown)


def bring_all(application: Application, volume: Volume) -> None:
    """Bring every model the file names into the volume.

    Raises:
        CommandError: some of them cannot be had; the others are there then.
    """
    if not application.models:
        note(f"{application.file.name} names no models")
        return
    prepare_volume(volume)
    sync(volume.settings, application.folder)
