"""The seed of a folder: files put there once, kept up to date, never over what a user changed.

`python -m camfleet_contracts.seed FROM TO` seeds a model volume; images run it before they start.
What was written is remembered in `.seed.json` of the target with its sha256: a file that still is
as it was seeded is upgraded with the seed, a file that was changed or deleted is the user's. A
notebook that was only run is as it was seeded: its outputs are not looked at.
"""

import errno
import hashlib
import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from camfleet_contracts.files import locked, sha256_of, why_not_written, write_atomically

RECORD = ".seed.json"
_NOTEBOOK = ".ipynb"
_NOT_SEED = {".ipynb_checkpoints", "__pycache__"}


class SeedReport(NamedTuple):
    """What a seeding did, as paths relative to the target."""

    written: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()  # changed or deleted by the user, so left alone


class _Record(NamedTuple):
    stamp: str  # of the whole seed that was last put here
    files: dict[str, str]  # sha256 of each file as it was seeded


def seed_folder(source: Path, target: Path) -> SeedReport:
    """Bring `target` up to the seed in `source`; does nothing when it has this very seed already.

    Raises:
        FileNotFoundError: there is no seed at `source`.
    """
    seed = _sums_of(source)
    if not seed:
        raise FileNotFoundError(f"no seed found at {source}; name the folder that has its files")
    stamp = hashlib.sha256(json.dumps(seed, sort_keys=True).encode()).hexdigest()
    target.mkdir(parents=True, exist_ok=True)
    with locked(target / RECORD):
        record = _read_record(target / RECORD)
        if record.stamp == stamp:
            return SeedReport()
        before = record.files
        due = [name for name in seed if _is_due(target / name, seed[name], before.get(name))]
        _write(source, target, due)
        document = {"stamp": stamp, "files": before | seed}
        write_atomically(target / RECORD, json.dumps(document, indent=2) + "\n")
    kept = tuple(name for name in seed if name not in due and _differs(target / name, seed[name]))
    return SeedReport(tuple(due), kept)


def _sums_of(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    names = {path: path.relative_to(folder) for path in files}
    return {
        str(name): _sum_of(path)
        for path, name in names.items()
        if not _NOT_SEED.intersection(name.parts) and not path.name.startswith(".")
    }


def _read_record(path: Path) -> _Record:
    try:
        document = json.loads(path.read_text())
        return _Record(str(document["stamp"]), dict(document["files"]))
    except (OSError, ValueError, KeyError, TypeError):
        return _Record("", {})


def _is_due(path: Path, wanted: str, seeded: str | None) -> bool:
    if not path.is_file():
        return seeded is None  # deleted by the user when it was seeded before
    return seeded is not None and wanted != seeded and _sum_of(path) == seeded


def _differs(path: Path, wanted: str) -> bool:
    return not path.is_file() or _sum_of(path) != wanted


def _sum_of(path: Path) -> str:
    """SHA-256 of a file; of a notebook, of its cells: running it is no change by its user."""
    if path.suffix == _NOTEBOOK:
        try:
            cells = json.loads(path.read_text())["cells"]
            written = [(cell["cell_type"], "".join(cell["source"])) for cell in cells]
            return hashlib.sha256(json.dumps(written).encode()).hexdigest()
        except (ValueError, KeyError, TypeError):  # none that can be read; then it is a file
            return sha256_of(path)
    return sha256_of(path)


def _write(source: Path, target: Path, names: list[str]) -> None:
    """Copy files; a version folder that is not there yet appears in one step, as when published."""
    versions = {name: _new_version_of(target, name) for name in names}
    for version in sorted({v for v in versions.values() if v is not None}):
        members = [name for name in names if versions[name] == version]
        _publish(source, target, version, members)
    for name in names:
        if versions[name] is None:
            write_atomically(target / name, (source / name).read_bytes())


def _new_version_of(target: Path, name: str) -> Path | None:
    parts = Path(name).parts
    is_version = len(parts) > 2 and parts[1].isdecimal()  # noqa: PLR2004 - <model>/<version>/<file>
    version = Path(*parts[:2])
    return version if is_version and not (target / version).exists() else None


def _publish(source: Path, target: Path, version: Path, names: list[str]) -> None:
    (target / version.parent).mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(dir=target / version.parent, prefix=f".{version.name}.tmp-"))
    try:
        for name in names:
            copy = staging / Path(name).relative_to(version)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / name, copy)
        staging.chmod(0o755)
        staging.rename(target / version)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _fault(error: OSError, target: Path) -> str:
    if isinstance(error, FileNotFoundError):
        return f"was not seeded: {error}"
    if error.errno == errno.EROFS and (target / RECORD).is_file():
        return "is read-only here and stays as it is"
    return why_not_written(target, error)


def main() -> int:
    """Seed the folder of the second argument from that of the first."""
    if len(sys.argv) != 3:  # noqa: PLR2004 - the program and its two arguments
        sys.stderr.write("usage: python -m camfleet_contracts.seed FROM TO\n")
        return 2
    try:
        report = seed_folder(Path(sys.argv[1]), Path(sys.argv[2]))
    except OSError as error:
        sys.stderr.write(f"seed: {sys.argv[2]} {_fault(error, Path(sys.argv[2]))}\n")
        return 1
    for name in report.kept:
        sys.stderr.write(f"seed: {name} was changed here and is left as it is\n")
    sys.stderr.write(f"seed: {len(report.written)} files written to {sys.argv[2]}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
