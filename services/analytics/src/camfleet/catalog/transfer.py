"""One file over HTTP into a part beside its place, continued after a cut."""

import time
from pathlib import Path
from typing import Protocol

import httpx

from camfleet.catalog.addresses import public_address
from camfleet.catalog.errors import BadAnswer, Unreachable
from camfleet_contracts.catalog import CatalogFile

_ATTEMPTS = 4
_BACK_OFF_S = 0.5
_TIMEOUT = httpx.Timeout(30.0, connect=10.0)
_RANGE_NOT_SATISFIABLE = 416
_PARTIAL_CONTENT = 206
_SERVER_FAULT = 500


class Report(Protocol):
    """Told how far a file is."""

    def __call__(self, name: str, had: int, wanted: int, /) -> None:
        """Bytes had and bytes wanted, 0 where nobody knows how many."""


class Transfer:
    """What is known of a file while it comes."""

    def __init__(self, url: str, wanted: CatalogFile, part: Path, report: Report) -> None:
        self._url = url
        self._shown = public_address(url)
        self._wanted = wanted
        self._part = part
        self._report = report
        self._total = wanted.size  # bytes; None until an answer says it
        self._mark = ""  # the strong ETag of what the part is of

    def run(self) -> None:
        """Fetch the file, again and again where a connection breaks.

        Raises:
            BadAnswer: the server refuses, or does not say where the file ends.
            Unreachable: nobody answers, or the file never comes to its end.
            OSError: the part cannot be written.
        """
        reason = ""
        with httpx.Client(timeout=_TIMEOUT, follow_redirects=True) as client:
            for attempt in range(_ATTEMPTS):
                if attempt:
                    time.sleep(_BACK_OFF_S * 2 ** (attempt - 1))
                try:
                    self._continue(client)
                except httpx.HTTPStatusError as error:
                    reason = self._reason_of(error)
                except (httpx.TransportError, httpx.InvalidURL, httpx.TooManyRedirects) as error:
                    reason = str(error) or type(error).__name__
                else:
                    if self._is_whole():
                        return
                    reason = f"ends after {self._had()} of {self._total} bytes"
        raise Unreachable(self._wanted.path, self._shown, reason)

    def _is_whole(self) -> bool:
        return self._part.is_file() and self._had() >= (self._total or 0)

    def _had(self) -> int:
        return self._part.stat().st_size if self._part.is_file() else 0

    def _continue(self, client: httpx.Client) -> None:
        """Fetch what is missing; a server that knows no ranges sends all of it again."""
        had = self._had() if self._wanted.sha256 or self._mark else 0
        if self._total is not None and had >= self._total:
            had = 0
        with client.stream("GET", self._url, headers=self._headers(had)) as answer:
            if answer.status_code == _RANGE_NOT_SATISFIABLE:
                self._part.unlink(missing_ok=True)
                return
            answer.raise_for_status()
            is_rest = had > 0 and answer.status_code == _PARTIAL_CONTENT
            self._learn_from(answer, had if is_rest else 0)
            self._store(answer, "ab" if is_rest else "wb")

    def _headers(self, had: int) -> dict[str, str]:
        headers = {"Accept-Encoding": "identity"}  # sizes and ranges are those of the file itself
        if had:
            headers["Range"] = f"bytes={had}-"
            if self._mark:
                headers["If-Range"] = self._mark
        return headers

    def _learn_from(self, answer: httpx.Response, had: int) -> None:
        mark = answer.headers.get("ETag", "")
        self._mark = "" if mark.startswith("W/") else mark
        length = answer.headers.get("Content-Length", "")
        if self._wanted.size is None and length.isdecimal():
            self._total = had + int(length)
        is_framed = length or "chunked" in answer.headers.get("Transfer-Encoding", "")
        if not is_framed and not self._wanted.sha256:
            raise BadAnswer(
                self._wanted.path,
                self._shown,
                "does not say how long the file is, so a cut one is not noticed; give a sha256",
            )

    def _store(self, answer: httpx.Response, mode: str) -> None:
        with self._part.open(mode) as file:
            for chunk in answer.iter_raw():
                file.write(chunk)
                self._report(self._wanted.path, file.tell(), self._total or 0)
                if self._total is not None and file.tell() > self._total:
                    return

    def _reason_of(self, error: httpx.HTTPStatusError) -> str:
        status = error.response.status_code
        if status < _SERVER_FAULT:
            raise BadAnswer(
                self._wanted.path,
                self._shown,
                f"answers {status} {error.response.reason_phrase}; correct the address",
            ) from error
        return f"answers {status}"
