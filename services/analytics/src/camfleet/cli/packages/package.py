"""A folder or archive that is to become a version of a model, looked through before it does."""

import gzip
import lzma
import shutil
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from camfleet.cli.errors import CommandError
from camfleet_contracts.model_files import NoModelFiles, find_model_files
from camfleet_contracts.model_manifest import (
    ModelManifest,
    read_colors,
    read_labels,
    read_manifest,
)
from camfleet_contracts.names import stored_name
from camfleet_contracts.volume import MANIFEST, sums_match

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz")
_OF_A_MAC = ("__MACOSX", ".DS_Store", "._*")  # what its Finder and its tar note beside files
_ENCRYPTED = 0x1  # flag of a file in a .zip
_CHUNK_BYTES = 1 << 20
_BROKEN = (
    tarfile.TarError,
    zipfile.BadZipFile,
    gzip.BadGzipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,  # a way of packing that Python does not know
)


@dataclass(frozen=True, slots=True)
class Package:
    """Files that can be published, and what their manifest says."""

    folder: Path
    name: str  # under which the model is stored and served
    manifest: dict[str, Any]  # the document, without sums
    files: tuple[Path, ...]  # all but the manifest, relative to the folder
    unread_keys: tuple[str, ...] = ()  # of the manifest

    @property
    def size_bytes(self) -> int:
        """All files together."""
        return sum((self.folder / path).stat().st_size for path in self.files)


@contextmanager
def opened(source: Path) -> Iterator[Path]:
    """The folder of a package; an archive is unpacked beside nothing of the user's.

    Raises:
        CommandError: it is neither, or the archive is damaged or reaches outside its folder.
    """
    if source.is_dir():
        yield source
    elif source.is_file() and source.name.endswith(ARCHIVES):
        with tempfile.TemporaryDirectory(prefix="camfleet-package-") as unpacked:
            suffix = next(filter(source.name.endswith, ARCHIVES))
            folder = Path(unpacked) / source.name.removesuffix(suffix)  # a name for what has none
            folder.mkdir(exist_ok=True)
            _unpack(source, folder)
            _drop_notes_of_a_mac(folder)
            yield _top_of(folder)
    else:
        what = "is not a package" if source.exists() else "does not exist"
        raise CommandError(f"{source} {what}; give a folder, or one as {', '.join(ARCHIVES)}")


def read_package(folder: Path, model_id: str | None) -> Package:
    """Look through a folder.

    Raises:
        CommandError: a file is missing, leaves the folder or differs from its sum; none is a model.
        BadManifest: its model.json cannot be used.
    """
    manifest = read_manifest(folder)
    paths = tuple(sorted(p.relative_to(folder) for p in folder.rglob("*") if not p.is_dir()))
    _refuse_links_outside(folder, paths)
    if manifest:
        _check_named_files(folder, manifest)
    try:
        find_model_files(folder, manifest or ModelManifest())
    except NoModelFiles as error:
        raise CommandError(str(error)) from error
    identity = model_id or (manifest.id if manifest else "") or folder.resolve().name
    try:
        name = stored_name(identity)
    except ValueError as error:
        raise CommandError(f"{error}; give one with --id") from error
    files = tuple(path for path in paths if str(path) != MANIFEST)
    unread = manifest.unread_keys if manifest else ()
    return Package(folder, name, _document(folder, manifest) | {"id": identity}, files, unread)


def _document(folder: Path, manifest: ModelManifest | None) -> dict[str, Any]:
    if manifest is None:
        return {}
    document = manifest.model_dump(mode="json", exclude_unset=True, exclude={"files"})
    if manifest.label_file and manifest.labels == read_labels(folder, manifest.label_file):
        document.pop("labels", None)  # they were read from the file and stay there
    if manifest.colors_file and manifest.label_colors == read_colors(folder, manifest.colors_file):
        document.pop("label_colors", None)
    return document


def _refuse_links_outside(folder: Path, paths: tuple[Path, ...]) -> None:
    top = folder.resolve()
    for path in paths:
        if not (folder / path).resolve().is_relative_to(top):
            raise CommandError(f"{folder / path} points outside the package; copy the file into it")
        if not (folder / path).is_file():
            raise CommandError(f"{folder / path} is not a file; take it out of the package")


def _check_named_files(folder: Path, manifest: ModelManifest) -> None:
    for field in ("model_file", "config_file", "label_file", "colors_file"):
        name = getattr(manifest, field)
        if name and not (folder / name).exists():
            raise CommandError(
                f"{folder}: {field} '{name}' of its model.json is not there; add it or correct the "
                "field"
            )
    found = sums_match(folder, manifest.files)
    if not found.complete:
        raise CommandError(
            f"{folder}: {found.reason}; copy the file again, or take `files` out of model.json"
        )


def _unpack(archive: Path, into: Path) -> None:
    try:
        if archive.suffix == ".zip":
            with zipfile.ZipFile(archive) as packed:
                _refuse_entries(archive, packed.infolist())
                packed.extractall(into)  # noqa: S202 - the paths were looked at
        else:
            _check_sums_of(archive)
            with tarfile.open(archive) as packed_tar:
                packed_tar.extractall(into, filter="data")
    except tarfile.OutsideDestinationError as error:
        raise CommandError(f"{archive}: {error}; nothing was unpacked to keep") from error
    except _BROKEN as error:
        reason = " ".join(str(error).split())
        raise CommandError(
            f"{archive} cannot be unpacked: {reason}; copy or pack it again"
        ) from error


def _check_sums_of(archive: Path) -> None:
    """Read it to its end, where its sum is: the tar reader stops before and sees no damage."""
    if archive.suffix in {".gz", ".tgz"}:
        with gzip.open(archive) as packed:
            while packed.read(_CHUNK_BYTES):
                pass


def _refuse_entries(archive: Path, entries: list[zipfile.ZipInfo]) -> None:
    for entry in entries:
        name = entry.filename
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise CommandError(f"{archive}: '{name}' would be written outside its folder")
        if entry.flag_bits & _ENCRYPTED:
            raise CommandError(f"{archive}: '{name}' has a password; pack it without one")


def _drop_notes_of_a_mac(unpacked: Path) -> None:
    """Nobody reads them, and `._net.onnx` would be the first model by its name."""
    for path in [path for pattern in _OF_A_MAC for path in unpacked.rglob(pattern)]:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _top_of(unpacked: Path) -> Path:
    """Archives often hold one folder with everything in it."""
    inside = list(unpacked.iterdir())
    return inside[0] if len(inside) == 1 and inside[0].is_dir() else unpacked
