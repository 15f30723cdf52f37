"""`camfleet model configure`: write or change the model.json of a folder."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from camfleet.cli.console import note
from camfleet.cli.errors import CommandError
from camfleet.cli.packages.description import describe
from camfleet_contracts.exports import Export, find_export
from camfleet_contracts.files import write_atomically
from camfleet_contracts.model_files import NoModelFiles, find_model_files
from camfleet_contracts.model_manifest import ModelManifest, parse_manifest, read_manifest
from camfleet_contracts.names import stored_name
from camfleet_contracts.volume import MANIFEST

_NAMED_FILES = ("model_file", "config_file", "label_file", "colors_file")


def configure(folder: Path, given: Mapping[str, Any]) -> None:
    """Write the folder's model.json; fields that are not given keep what they were.

    Raises:
        CommandError: a value or a file is wrong; model.json stays as it was.
        BadManifest: the model.json that is there cannot be read.
    """
    if not folder.is_dir():
        raise CommandError(f"{folder} is not a folder; give the one with the model's files")
    before = read_manifest(folder)
    kept = before.model_dump(mode="json", exclude_unset=True) if before else {}
    if before and before.label_file:
        kept.pop("labels", None)
    export = _export_of(folder, kept, given)
    if export:
        kept = {"preprocess": export.preprocess(), **kept}
    document = describe(kept, given)
    for field in _NAMED_FILES:
        name = document.get(field)
        if name and not (folder / name).exists():
            raise CommandError(f"--{field} {name}: {folder / name} does not exist")
    try:
        find_model_files(folder, parse_manifest(document, where=str(folder / MANIFEST)))
    except NoModelFiles as error:
        raise CommandError(str(error)) from error
    document["id"] = _checked_id(document.get("id") or folder.resolve().name)
    document.pop("files", None)  # sums of what may have changed; `publish` makes them anew
    write_atomically(folder / MANIFEST, json.dumps(document, indent=2) + "\n")
    note(f"{folder / MANIFEST} written; `camfleet model publish {folder}` puts it on the volume")
    _tell_what_it_lacks(document, export)


def _tell_what_it_lacks(document: Mapping[str, Any], export: Export | None) -> None:
    if export:
        note(
            f"{document['model_file']} is an Ultralytics export: what is not said here, such as "
            "labels and decoder, comes from the file"
        )
        return
    if document["purpose"] == "ObjectDetection" and not document.get("label_file"):
        note("without --label_file objects are named by their class numbers")
    if "postprocess" not in document:
        note("without --decoder cameras cannot use it, other clients can")


def _export_of(folder: Path, kept: Mapping[str, Any], given: Mapping[str, Any]) -> Export | None:
    """What the model file says of itself; None too where it is not there, which is told later."""
    fields = ("framework_type", *_NAMED_FILES)
    named = {name: given.get(name) or kept.get(name, "") for name in fields}
    try:
        return find_export(find_model_files(folder, ModelManifest(**named)))
    except NoModelFiles:
        return None


def _checked_id(model_id: str) -> str:
    try:
        stored_name(model_id)
    except ValueError as error:
        raise CommandError(f"--id: {error}") from error
    return model_id


def numbers(text: str | None, flag: str) -> list[float] | None:
    """A list with commas, or in quotes with spaces.

    Raises:
        CommandError: a part is not a number.
    """
    if text is None:
        return None
    try:
        values = [float(part) for part in text.replace(",", " ").split()]
    except ValueError as error:
        raise CommandError(f"{flag} {text}: must be numbers") from error
    return [int(value) if value.is_integer() else value for value in values]


def switch(text: str | None, flag: str) -> bool | None:
    """A word that is true or false.

    Raises:
        CommandError: it is neither.
    """
    if text is None:
        return None
    if text.lower() not in {"true", "false"}:
        raise CommandError(f"{flag} {text}: must be true or false")
    return text.lower() == "true"
