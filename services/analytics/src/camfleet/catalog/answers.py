"""What a server's answer states of a file, and whether it can be the file."""

import re
from typing import NamedTuple

import httpx

from camfleet_contracts.catalog import CatalogFile

_PARTIAL_CONTENT = 206
_RANGE = re.compile(r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)")
_PACKED = (".gz", ".tgz")


class NotTheRest(Exception):
    """A part of a file that is not the one asked for, or is of another file."""


class Stated(NamedTuple):
    """What an answer says of itself."""

    start: int | None  # where in the file it begins; None when it does not say
    total: int | None  # bytes of the whole file; None when it does not say
    mark: str  # the strong ETag of the file, empty without one


def read_stated(answer: httpx.Response) -> Stated:
    """Read the headers; one that makes no sense counts as not there."""
    mark = answer.headers.get("ETag", "")
    mark = "" if mark.startswith("W/") else mark
    length = answer.headers.get("Content-Length", "")
    follows = int(length) if length.isdecimal() else None
    found = _RANGE.fullmatch(answer.headers.get("Content-Range", ""))
    if found:
        start = int(found.group(1)) if found.group(1) else None
        if found.group(2).isdecimal():
            return Stated(start, int(found.group(2)), mark)
        ends = None if start is None or follows is None else start + follows
        return Stated(start, ends, mark)
    if answer.status_code == _PARTIAL_CONTENT:
        return Stated(None, None, mark)
    return Stated(0, follows, mark)


def why_not_trusted(answer: httpx.Response, wanted: CatalogFile) -> str:
    """Say why an answer may not be the file, where nothing else would tell; empty when it may."""
    if wanted.sha256:
        return ""
    headers = answer.headers
    is_framed = "Content-Length" in headers or "chunked" in headers.get("Transfer-Encoding", "")
    kind = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    coding = headers.get("Content-Encoding", "identity")
    if not is_framed:
        return "does not say how long the file is, so a cut one is not noticed; give a sha256"
    if kind == "text/html" and not wanted.path.endswith((".html", ".htm")):
        return "answers with a web page; take the address that downloads the file itself"
    if coding != "identity" and not wanted.path.endswith(_PACKED):
        return f"sends the file packed ({coding}) though asked not to; give its sha256"
    return ""
