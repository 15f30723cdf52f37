"""One file over HTTP into a part beside its place, continued after a cut."""

import time
from pathlib import Path
from typing import NoReturn, Protocol

import httpx

from camfleet.catalog.addresses import public_address
from camfleet.catalog.answers import NotTheRest, Stated, read_stated, why_not_trusted
from camfleet.catalog.errors import BadAnswer, Unreachable, WrongContent
from camfleet_contracts.catalog import CatalogFile

_ATTEMPTS = 4
_BACK_OFF_S = 0.5
_TIMEOUT = httpx.Timeout(30.0, connect=10.0)
_RANGE_NOT_SATISFIABLE = 416
_SERVER_FAULT = 500
_PASSING = (408, 425, 429)  # may be another a moment later: too slow, too early, too often
_NEEDS_LOGIN = (401, 403)


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
            BadAnswer: the server refuses, or its answer cannot be trusted to be the whole file.
            WrongContent: what it has is longer or shorter than what is wanted.
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
                except NotTheRest as error:
                    self._part.unlink(missing_ok=True)  # and all of it is asked for
                    reason = str(error)
                except (httpx.TransportError, httpx.InvalidURL, httpx.TooManyRedirects) as error:
                    reason = str(error) or type(error).__name__
                else:
                    if self._is_whole():
                        return
                    reason = f"ends after {self._had()} of {self._total} bytes"
        raise Unreachable(self._wanted.path, self._shown, reason)

    def _is_whole(self) -> bool:
        return self._part.is_file() and self._total in {None, self._had()}

    def _had(self) -> int:
        return self._part.stat().st_size if self._part.is_file() else 0

    def _continue(self, client: httpx.Client) -> None:
        """Fetch what is missing; a server that knows no ranges sends all of it again."""
        had = self._had() if self._wanted.sha256 or self._mark else 0
        if had and had == self._total:  # whoever brought it was killed before it was used
            return
        if self._total is not None and had > self._total:
            had = 0
        with client.stream("GET", self._url, headers=self._headers(had)) as answer:
            stated = read_stated(answer)
            if answer.status_code == _RANGE_NOT_SATISFIABLE:
                self._end_at(had, stated)
                return
            answer.raise_for_status()
            if doubt := why_not_trusted(answer, self._wanted):
                raise BadAnswer(self._wanted.path, self._shown, doubt)
            self._learn_from(stated, had)
            self._store(answer, "ab" if stated.start else "wb")

    def _end_at(self, had: int, stated: Stated) -> None:
        """Nothing follows what is there: then that is the file, if the server says so too."""
        if not had or stated.total != had:
            raise NotTheRest(f"has nothing after {had} bytes")
        self._total = had

    def _headers(self, had: int) -> dict[str, str]:
        headers = {"Accept-Encoding": "identity"}  # sizes and ranges are those of the file itself
        if had:
            headers["Range"] = f"bytes={had}-"
            if self._mark:
                headers["If-Range"] = self._mark
        return headers

    def _learn_from(self, stated: Stated, had: int) -> None:
        size = self._wanted.size
        if size is not None and stated.total not in {None, size}:
            self._refuse_size(str(stated.total))
        if stated.start not in {0, had}:
            raise NotTheRest(f"sends another part than the one from byte {had} on")
        marks, totals = {stated.mark, self._mark} - {""}, {stated.total, self._total} - {None}
        if stated.start and max(len(marks), len(totals)) > 1:
            raise NotTheRest("has another file than when this one was begun")
        self._mark = stated.mark or (self._mark if stated.start else "")
        self._total = stated.total if size is None else size

    def _store(self, answer: httpx.Response, mode: str) -> None:
        size = self._wanted.size
        with self._part.open(mode) as file:
            for chunk in answer.iter_raw():
                file.write(chunk)
                self._report(self._wanted.path, file.tell(), self._total or 0)
                if size is not None and file.tell() > size:
                    self._part.unlink()
                    self._refuse_size(f"{file.tell()} and more")

    def _refuse_size(self, found: str) -> NoReturn:
        difference = (f"bytes {found}", str(self._wanted.size))
        raise WrongContent(self._wanted.path, self._url, difference)

    def _reason_of(self, error: httpx.HTTPStatusError) -> str:
        status = error.response.status_code
        if status < _SERVER_FAULT and status not in _PASSING:
            login = "give a login in it (https://user:password@host/...) or take a signed one"
            mend = login if status in _NEEDS_LOGIN else "correct the address"
            said = f"answers {status} {error.response.reason_phrase}; {mend}"
            raise BadAnswer(self._wanted.path, self._shown, said) from error
        return f"answers {status}"
