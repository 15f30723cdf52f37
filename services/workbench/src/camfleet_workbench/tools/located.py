"""The folder a model's files are in: a version of the volume, or a package anywhere."""

from dataclasses import dataclass
from pathlib import Path

from camfleet.cli.errors import CommandError
from camfleet_contracts.model_manifest import ModelManifest, read_manifest
from camfleet_contracts.names import split_version, stored_name
from camfleet_contracts.settings import FleetSettings
from camfleet_contracts.volume import versions_of

# In the order in which a folder with several is read: what needs least conversion first.
_PATTERNS = ("*.xml", "*.onnx", "saved_model.pb", "*.tflite", "*.pb")


@dataclass(frozen=True, slots=True)
class LocatedModel:
    """One model file, and what its folder says of it."""

    name: str
    folder: Path
    path: Path  # the file, or the folder of a SavedModel
    manifest: ModelManifest


def locate(settings: FleetSettings, reference: str) -> LocatedModel:
    """Find a model by path, or by name and version on the volume.

    Raises:
        CommandError: there is none, or OpenVINO reads none of its files.
        BadManifest: its model.json cannot be used.
    """
    path = Path(reference)
    if path.exists():
        return _in_folder(path.resolve().stem, path.parent if path.is_file() else path, path)
    try:
        name, version = split_version(reference)
        folders = versions_of(settings.models_dir / stored_name(name))
    except ValueError as error:
        raise CommandError(f"{reference}: {error}") from error
    if not folders or (version and version not in folders):
        known = f"; it has {', '.join(map(str, folders))}" if folders else ""
        raise CommandError(
            f"{reference} is neither a file or folder nor a version on the volume{known}; "
            "`camfleet model list` shows what is there"
        )
    folder = folders[version or max(folders)]
    return _in_folder(stored_name(name), folder, folder)


def _in_folder(name: str, folder: Path, given: Path) -> LocatedModel:
    manifest = read_manifest(folder) or ModelManifest()
    if given.is_file():
        return LocatedModel(name, folder, given, manifest)
    if manifest.model_file and (folder / manifest.model_file).exists():
        return LocatedModel(name, folder, folder / manifest.model_file, manifest)
    for pattern in _PATTERNS:
        found = sorted(folder.glob(pattern)) or sorted(folder.glob(f"*/{pattern}"))
        if found:
            path = found[0].parent if found[0].name == "saved_model.pb" else found[0]
            return LocatedModel(name, folder, path, manifest)
    raise CommandError(
        f"{folder}: no file that OpenVINO reads ({', '.join(_PATTERNS)}); darknet and caffe models "
        "are served by the runtime opencv as they are"
    )
