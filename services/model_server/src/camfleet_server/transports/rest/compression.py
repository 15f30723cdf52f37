"""Bodies that come or go compressed: Content-Encoding and Accept-Encoding of gzip and deflate."""

import zlib
from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from camfleet_server.errors import InvalidInput
from camfleet_server.transports.rest.bodies import Body, Share, count_body

_WINDOW_BITS = {"gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}
_PIECE_BYTES = 1 << 20
_LEVEL = 1  # the link is near; more would cost more than it saves


def decoded_body(request: Request, body: Body, share: Share) -> Body:
    """Return the body as it was before compression, counted as it grows.

    Raises:
        HTTPException: 413 or 415, it grows too large or is compressed in another way.
        ServerBusy: there is no room for it now.
        InvalidInput: it is not what its header says.
    """
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding in ("identity", ""):
        return body
    if encoding not in _WINDOW_BITS:
        raise HTTPException(415, f"Content-Encoding {encoding!r}: use gzip, deflate or none")
    inflater = zlib.decompressobj(_WINDOW_BITS[encoding])
    inflated = bytearray()
    rest = bytes(body)
    try:
        while rest and not inflater.eof:
            inflated += inflater.decompress(rest, _PIECE_BYTES)
            rest = inflater.unconsumed_tail
            count_body(request, share, len(inflated))
    except zlib.error as error:
        raise InvalidInput(f"Request body is not valid {encoding} - {error}") from error
    if not inflater.eof or inflater.unused_data:
        raise InvalidInput(
            f"Request body is not valid {encoding} - it ends too early, or more follows it"
        )
    return inflated


def encoded_response(
    request: Request, body: bytes, media_type: str, headers: Mapping[str, str] | None = None
) -> Response:
    """Make an answer, compressed when the client asks for one encoding by name.

    A list of encodings, as HTTP libraries send it by themselves, says what a client can read, not
    that it wants to wait for it.
    """
    wanted = request.headers.get("accept-encoding", "").strip().lower()
    given = dict(headers or {})
    if wanted in _WINDOW_BITS:
        deflater = zlib.compressobj(_LEVEL, wbits=_WINDOW_BITS[wanted])
        body = deflater.compress(body) + deflater.flush()
        given["Content-Encoding"] = wanted
    return Response(body, headers=given, media_type=media_type)
