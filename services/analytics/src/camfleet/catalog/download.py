"""One file from a mirror or its address: resumed after a cut, checked before it is used."""

import time
from collections.abc import Callable
from pathlib import Path

import httpx

from camfleet.catalog.errors import DownloadFailed, Unreachable, WrongContent
from camfleet_contracts.catalog import CatalogFile
from camfleet_contracts.files import sha256_of

Report = Callable[[str, int, int], None]  # name of the file, bytes had, bytes wanted

_ATTEMPTS = 4
_BACK_OFF_S = 0.5
_TIMEOUT = httpx.Timeout(30.0, connect=10.0)
_CHUNK = 1 << 18
_RANGE_NOT_SATISFIABLE = 416
_PARTIAL_CONTENT = 206
_SERVER_FAULT = 500


def fetch(source: str | Path, wanted: CatalogFile, folder: Path, report: Report) -> Path:
    """Get the file into `folder` under the name of its sha256 and return it, checked.

    A part that a cut left there is continued. Only one process may fetch into a folder at a time.

    Raises:
        DownloadFailed: it cannot be had, or is not what the catalogue says.
    """
    folder.mkdir(parents=True, exist_ok=True)
    done = folder / wanted.sha256
    if done.is_file() and done.stat().st_size == wanted.size and sha256_of(done) == wanted.sha256:
        report(wanted.path, wanted.size, wanted.size)
        return done
    part = folder / f"{wanted.sha256}.part"
    if isinstance(source, Path):
        _copy(source, part, wanted, report)
    else:
        _download(source, part, wanted, report)
    _check(part, wanted, str(source))
    return part.replace(done)


def _copy(source: Path, part: Path, wanted: CatalogFile, report: Report) -> None:
    try:
        with source.open("rb") as original, part.open("wb") as copy:
            while chunk := original.read(_CHUNK):
                copy.write(chunk)
                report(wanted.path, copy.tell(), wanted.size)
    except OSError as error:
        raise DownloadFailed(f"{wanted.path}: cannot be copied from the mirror: {error}") from error


def _download(url: str, part: Path, wanted: CatalogFile, report: Report) -> None:
    reason = ""
    with httpx.Client(timeout=_TIMEOUT, follow_redirects=True) as client:
        for attempt in range(_ATTEMPTS):
            if attempt:
                time.sleep(_BACK_OFF_S * 2 ** (attempt - 1))
            try:
                _continue(client, url, part, wanted, report)
            except httpx.HTTPStatusError as error:
                if error.response.status_code < _SERVER_FAULT:
                    raise _refused(wanted, url, error) from error
                reason = f"answers {error.response.status_code}"
            except (httpx.TransportError, httpx.InvalidURL) as error:
                reason = str(error) or type(error).__name__
            else:
                if part.stat().st_size >= wanted.size:
                    return
                reason = f"ends after {part.stat().st_size} of {wanted.size} bytes"
    raise Unreachable(wanted.path, url, reason)


def _continue(
    client: httpx.Client, url: str, part: Path, wanted: CatalogFile, report: Report
) -> None:
    """Fetch what is missing of the part; a server that knows no ranges sends all of it again."""
    had = part.stat().st_size if part.is_file() else 0
    if had > wanted.size:
        had = 0
    headers = {"Accept-Encoding": "identity"}  # sizes and ranges are those of the file itself
    if had:
        headers["Range"] = f"bytes={had}-"
    with client.stream("GET", url, headers=headers) as answer:
        if answer.status_code == _RANGE_NOT_SATISFIABLE:
            part.unlink()
            return
        answer.raise_for_status()
        mode = "ab" if had and answer.status_code == _PARTIAL_CONTENT else "wb"
        with part.open(mode) as file:
            for chunk in answer.iter_raw():
                file.write(chunk)
                report(wanted.path, file.tell(), wanted.size)
                if file.tell() > wanted.size:
                    return


def _refused(wanted: CatalogFile, url: str, error: httpx.HTTPStatusError) -> DownloadFailed:
    return DownloadFailed(
        f"{wanted.path}: {url} answers {error.response.status_code} "
        f"{error.response.reason_phrase}; correct the address in catalog.json"
    )


def _check(part: Path, wanted: CatalogFile, source: str) -> None:
    size, digest = part.stat().st_size, sha256_of(part)
    if size == wanted.size and digest == wanted.sha256:
        return
    part.unlink()
    if size != wanted.size:
        raise WrongContent(wanted.path, source, f"{size} bytes", f"{wanted.size}")
    raise WrongContent(wanted.path, source, f"sha256 {digest[:12]}...", f"{wanted.sha256[:12]}...")
