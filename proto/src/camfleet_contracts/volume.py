"""The model volume: version folders, when one is complete, and how one is published."""

import errno
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from camfleet_contracts.files import locked, sha256_of, write_atomically
from camfleet_contracts.json_text import read_json
from camfleet_contracts.model_manifest import ModelManifest
from camfleet_contracts.names import stored_name

SETTLE_S = 0.5
MANIFEST = "model.json"
_LARGEST = 2**63 - 1
_LONGEST_NAME = 255  # of a folder; leading zeros count
_OWN_STAGING = "publish-"  # tells folders of publish_version from those of others


class Completeness(NamedTuple):
    """Whether a version may be loaded, and if not, why."""

    complete: bool
    reason: str = ""


def version_number(text: str) -> int | None:
    """Read the number of a version as protocols carry it, in 63 bits; None where it is none."""
    is_number = text.isascii() and text.isdigit() and len(text) <= _LONGEST_NAME
    return int(text) if is_number and int(text) <= _LARGEST else None


def versions_of(base_path: Path) -> dict[int, Path]:
    """Return the version folders below a model's base path, by number, ascending."""
    if not base_path.is_dir():
        return {}
    with os.scandir(base_path) as entries:
        names = [entry.name for entry in entries if is_version_folder(entry)]
    return versions_named(base_path, names)


def is_version_folder(entry: os.DirEntry[str]) -> bool:
    """Tell whether what a scan found is a folder whose name is a number.

    Raises:
        OSError: it is a link whose target cannot be looked at.
    """
    try:
        return entry.name.isdecimal() and entry.is_dir()
    except OSError as error:
        if error.errno == errno.ELOOP:
            return False
        raise


def versions_named(base_path: Path, names: Iterable[str]) -> dict[int, Path]:
    """Return folders below a model's base path whose names are numbers, by number, ascending.

    Ignored are 0, and numbers that neither protocol can carry (more than 63 bits). Leading zeros
    make no other number (TensorFlow Serving's users write 00000123): of several folders the
    shortest name counts.
    """
    by_length = sorted(names, key=len, reverse=True)
    folders = {int(name): base_path / name for name in by_length}
    return {number: folders[number] for number in sorted(folders) if 0 < number <= _LARGEST}


def others_of_number(version_folder: Path) -> tuple[Path, ...]:
    """Return the folders beside a version's that have the same number, which are not served."""
    own = version_folder.name
    if not own.isdecimal():
        return ()
    try:
        names = sorted(path.name for path in version_folder.parent.iterdir())
    except OSError:  # it went meanwhile
        return ()
    same = [name for name in names if name.isdecimal() and int(name) == int(own) and name != own]
    return tuple(version_folder.parent / name for name in same)


def is_staging(name: str) -> bool:
    """Tell whether a folder of this name is one in which a version is being published."""
    return name.startswith(".") and ".tmp-" in name


def completeness(
    version_folder: Path, manifest: ModelManifest | None, *, now: float | None = None
) -> Completeness:
    """Tell whether a version is complete.

    With sha256 sums in its manifest it is when they match; without, when nothing in it has changed
    for 0.5 s. `now` is in seconds since 1970.
    """
    if manifest and manifest.files:
        return sums_match(version_folder, manifest.files)
    age_s = (time.time() if now is None else now) - _newest_change(version_folder)
    if age_s < SETTLE_S:
        return Completeness(complete=False, reason=f"changed {max(age_s, 0):.1f} s ago, settling")
    return Completeness(complete=True)


def publish_version(
    models_dir: Path, model_id: str, version: int | None, fill: Callable[[Path], None]
) -> Path:
    """Publish a version in one step and return its folder.

    `fill` writes the files into an empty folder; their sha256 sums are added to its model.json, and
    the folder is renamed into place; else nothing is left. `version` None takes the next number.

    Raises:
        FileExistsError: the version is there already.
        ValueError: the name or number is not one, or `fill` wrote nothing.
    """
    if version and version > _LARGEST:
        raise ValueError(
            f"{model_id} version {version}: nobody can ask for it; use 1 to {_LARGEST}"
        )
    base = models_dir / stored_name(model_id)
    with locked(base / "publish"), _dropped_if_empty(base):
        number = version or max(versions_of(base), default=0) + 1
        if (target := base / str(number)).exists():
            raise FileExistsError(
                f"{model_id} version {number} is on the volume already ({target})"
            )
        _sweep(base)
        staging = Path(tempfile.mkdtemp(dir=base, prefix=f".{number}.tmp-{_OWN_STAGING}"))
        try:
            fill(staging)
            _write_sums(staging)
            staging.chmod(0o755)
            staging.rename(target)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    return target


def drop_empty_model(base: Path) -> None:
    """Delete a model's folder in which nothing is left but the lock of its publishers."""
    with suppress(OSError), locked(base / "publish"), _dropped_if_empty(base):
        pass


@contextmanager
def _dropped_if_empty(base: Path) -> Iterator[None]:
    """Delete a model's folder after the block when it holds no more; the caller holds its lock."""
    try:
        yield
    finally:
        if all(path.suffix == ".lock" for path in base.iterdir()):
            shutil.rmtree(base)


def _sweep(base: Path) -> None:
    """Delete what publishers left that were killed; the caller holds the lock they held."""
    for folder in base.glob(f".*.tmp-{_OWN_STAGING}*"):
        shutil.rmtree(folder, ignore_errors=True)


def sums_match(
    folder: Path, files: Mapping[str, str], *, known: Mapping[str, str] | None = None
) -> Completeness:
    """Tell whether the files have these sums; `known` sums are not computed a second time."""
    for name, expected in files.items():
        path = folder / name
        if ".." in Path(name).parts or Path(name).is_absolute():
            return Completeness(complete=False, reason=f"{name!r} in files leaves the folder")
        if not path.is_file():
            return Completeness(complete=False, reason=f"{name} is not there yet")
        if ((known or {}).get(name) or sha256_of(path)) != expected:
            return Completeness(complete=False, reason=f"{name} differs from its sha256")
    return Completeness(complete=True)


def _newest_change(folder: Path) -> float:
    try:
        stats = [path.stat() for path in (folder, *folder.rglob("*"))]
    except FileNotFoundError:  # something was removed while we looked: it changes right now
        return time.time()
    return max(max(stat.st_mtime, stat.st_ctime) for stat in stats)


def _write_sums(folder: Path) -> None:
    names = sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())
    if not names:
        raise ValueError(f"nothing to publish in {folder}")
    path = folder / MANIFEST
    manifest = read_json(path) if path.is_file() else {}
    sums = {name: sha256_of(folder / name) for name in names if name != MANIFEST}
    write_atomically(path, json.dumps(manifest | {"files": sums}, indent=2) + "\n")
