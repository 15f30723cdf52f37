"""Request bodies: limits of one body, of all in hand together, and of the time they may take."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TypeAlias

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from camfleet_server.errors import Abandoned, ServerBusy

Body: TypeAlias = bytes | bytearray

MAX_BODY_BYTES = 1 << 30  # as OVMS
MAX_JSON_BYTES = 64 << 20
JSON_LENGTH = "inference-header-content-length"  # what is behind so many bytes is not JSON
_JSON_WEIGHT = 8  # parsed, a text takes about so many times its size
_CHUNK_LIMIT_S = 20.0
_BODY_LIMIT_S = 300.0


class BodyQuota:
    """Bounds what the bodies in hand weigh together; one alone always fits."""

    def __init__(self, limit_bytes: int = MAX_BODY_BYTES) -> None:
        self._limit_bytes = limit_bytes
        self._held_bytes = 0
        self._lock = Lock()

    @contextmanager
    def holding(self) -> Iterator["Share"]:
        """Give a share that is handed back at the end of the block."""
        share = Share(self)
        try:
            yield share
        finally:
            self.add(-share.size_bytes, 0)

    def add(self, size_bytes: int, own_bytes: int) -> None:
        """Count bytes of a body that has `own_bytes` already.

        Raises:
            ServerBusy: the bodies of others leave no room for them.
        """
        with self._lock:
            of_others = self._held_bytes - own_bytes
            is_over = of_others > 0 and self._held_bytes + size_bytes > self._limit_bytes
            if size_bytes > 0 and is_over:
                raise ServerBusy(
                    f"bodies of {self._held_bytes >> 20} MiB are in hand (JSON counts "
                    f"{_JSON_WEIGHT} times), {self._limit_bytes >> 20} MiB may be"
                )
            self._held_bytes += size_bytes


class Share:
    """What one body takes of the quota."""

    def __init__(self, quota: BodyQuota) -> None:
        self._quota = quota
        self.size_bytes = 0

    def grow(self, size_bytes: int) -> None:
        """Count bytes that came in; raises ServerBusy."""
        self._quota.add(size_bytes, self.size_bytes)
        self.size_bytes += size_bytes


async def read_body(request: Request, share: Share) -> Body:
    """Read a body within all limits.

    Raises:
        HTTPException: 413 or 408, it is too large or too slow.
        ServerBusy: there is no room for it now.
        Abandoned: the client went away in the middle of it.
    """
    json_bytes = _json_length(request)
    declared = request.headers.get("content-length", "")
    if declared.isdigit():
        _check_size(int(declared), json_bytes)
    try:
        async with asyncio.timeout(_BODY_LIMIT_S):
            return await _collect(request, share, json_bytes)
    except TimeoutError as error:
        text = f"Request body did not arrive: {_CHUNK_LIMIT_S:g} s without a byte of it, or "
        raise HTTPException(408, f"{text}{_BODY_LIMIT_S:g} s in all") from error
    except ClientDisconnect as error:
        raise Abandoned(request.url.path) from error


async def _collect(request: Request, share: Share, json_bytes: int) -> Body:
    body: Body = b""
    chunks = aiter(request.stream())
    while True:
        async with asyncio.timeout(_CHUNK_LIMIT_S):
            chunk = await anext(chunks, b"")
        if not chunk:
            return body
        size = len(body) + len(chunk)
        _check_size(size, json_bytes)
        share.grow(_weight(size, json_bytes) - share.size_bytes)
        if not body:
            body = chunk
        elif isinstance(body, bytearray):
            body += chunk
        else:
            body = bytearray(body) + chunk


def count_body(request: Request, share: Share, size_bytes: int) -> None:
    """Count a body that has grown to `size_bytes` while it was unpacked.

    Raises:
        HTTPException: 413, it is too large.
        ServerBusy: there is no room for it now.
    """
    json_bytes = _json_length(request)
    _check_size(size_bytes, json_bytes)
    share.grow(_weight(size_bytes, json_bytes) - share.size_bytes)


def _json_length(request: Request) -> int:
    """Tell how much of the body is JSON: all of it unless a header says where that ends."""
    declared = request.headers.get(JSON_LENGTH, "")
    return int(declared) if declared.isdigit() and len(declared) < len(str(1 << 62)) else 1 << 62


def _weight(size: int, json_bytes: int) -> int:
    text = min(size, json_bytes)
    return text * _JSON_WEIGHT + size - text


def _check_size(size: int, json_bytes: int) -> None:
    if size > MAX_BODY_BYTES:
        raise HTTPException(413, f"Request body exceeds {MAX_BODY_BYTES} bytes")
    if min(size, json_bytes) > MAX_JSON_BYTES:
        raise HTTPException(
            413,
            f"JSON exceeds {MAX_JSON_BYTES} bytes; send tensors over gRPC or with KServe's "
            "binary extension",
        )
