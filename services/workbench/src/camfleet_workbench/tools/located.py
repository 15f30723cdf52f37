"""The folder a model's files are in: a version of the volume, or a package anywhere."""

from dataclasses import dataclass
from pathlib import Path

from camfleet.cli.errors import CommandError
from camfleet_contracts.frameworks import FRAMEWORKS
from camfleet_contracts.model_files import NoModelFiles, find_model_files
from camfleet_contracts.model_manifest import ModelManifest, read_manifest
from camfleet_contracts.names import split_version, stored_name
from camfleet_contracts.settings import FleetSettings
from camfleet_contracts.volume import versions_of

_READ_BY_OPENVINO = tuple(f.name for f in FRAMEWORKS if "openvino" in f.runtimes)


@dataclass(frozen=True, slots=True)
class LocatedModel:
    """One model file, and what its folder says of it."""

    name: str
    folder: Path
    path: Path  # the file, or the folder of a SavedModel
    manifest: ModelManifest

    @property
    def reference(self) -> str:
        """name:version for a version of the volume, else the name."""
        return f"{self.name}:{self.folder.name}" if self.folder.name.isdecimal() else self.name


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
    try:
        files = find_model_files(given, manifest, _READ_BY_OPENVINO)
    except NoModelFiles as error:
        raise CommandError(str(error)) from error
    if "openvino" not in files.framework.runtimes:
        served_by = " or ".join(files.framework.runtimes)
        raise CommandError(
            f"{files.name} is {files.framework.name}, which OpenVINO does not read; it is served "
            f"by the runtime {served_by} as it is"
        )
    return LocatedModel(name, folder, files.model, manifest)
