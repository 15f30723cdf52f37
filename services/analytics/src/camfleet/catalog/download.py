"""One file from a mirror or its address: resumed after a cut, checked before it is used."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from camfleet.catalog.errors import DownloadFailed, WrongContent
from camfleet.catalog.transfer import Report, Transfer
from camfleet_contracts.catalog import CatalogFile
from camfleet_contracts.files import sha256_of, why_not_written

_CHUNK = 1 << 18


def fetch(source: str | Path, wanted: CatalogFile, folder: Path, report: Report) -> Path:
    """Get the file into `folder` and return it, checked against what is known of it.

    A part that a cut left there is continued where the file's sha256 is known; of another file
    nobody could tell whether the part is of what is there now. Only one process may fetch into a
    folder at a time.

    Raises:
        DownloadFailed: it cannot be had, or there is no room for it.
        WrongContent: its size or sha256 is another than the wanted one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    done = folder / (wanted.sha256 or hashlib.sha256(wanted.url.encode()).hexdigest())
    if wanted.sha256 and done.is_file() and sha256_of(done) == wanted.sha256:
        report(wanted.path, done.stat().st_size, done.stat().st_size)
        return done
    part = folder / f"{done.name}.part"
    if not wanted.sha256:
        part.unlink(missing_ok=True)
    try:
        _bring(source, wanted, part, report)
    except OSError as error:
        part.unlink(missing_ok=True)  # also the room it takes
        raise DownloadFailed(f"{wanted.path}: {folder} {why_not_written(folder, error)}") from error
    _check(part, wanted, source)
    return part.replace(done)


def _bring(source: str | Path, wanted: CatalogFile, part: Path, report: Report) -> None:
    if isinstance(source, Path):
        _copy(source, part, wanted, report)
    else:
        Transfer(source, wanted, part, report).run()


def _copy(source: Path, part: Path, wanted: CatalogFile, report: Report) -> None:
    with part.open("wb") as copy:
        for chunk in _chunks_of(source, wanted):
            copy.write(chunk)
            report(wanted.path, copy.tell(), wanted.size or 0)


def _chunks_of(source: Path, wanted: CatalogFile) -> Iterator[bytes]:
    try:
        with source.open("rb") as file:
            while chunk := file.read(_CHUNK):
                yield chunk
    except OSError as error:
        raise DownloadFailed(f"{wanted.path}: cannot be copied from the mirror: {error}") from error


def _check(part: Path, wanted: CatalogFile, source: str | Path) -> None:
    size, sha256 = part.stat().st_size, sha256_of(part)
    found = {"bytes": str(size), "sha256": sha256}
    stated = size if wanted.size is None else wanted.size
    expected = {"bytes": str(stated), "sha256": wanted.sha256 or sha256}
    if wanted.sha384:
        found["sha384"], expected["sha384"] = _sha384_of(part), wanted.sha384
    wrong = next((name for name in found if found[name] != expected[name]), None)
    if wrong is not None:
        part.unlink()
        difference = (f"{wrong} {found[wrong]}", expected[wrong])
        raise WrongContent(wanted.path, source, difference, sha256)


def _sha384_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha384").hexdigest()
