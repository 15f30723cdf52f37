"""What every REST handler shares: reading bodies, errors as JSON, work off the event loop."""

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from camfleet_server.errors import InvalidInput
from camfleet_server.transports.codes import EXPECTED, codes_of, retry_after_s

MAX_BODY_BYTES = 1 << 30  # as OVMS
_TEXTS = {404: "Invalid request URL", 405: "Unsupported method"}

Handler = Callable[[Request], Awaitable[Response]]


def with_body(answer: Callable[[Request, bytes], Response]) -> Handler:
    """Read the body, then answer in a worker thread."""

    async def handler(request: Request) -> Response:
        body = await _read_body(request)
        return await run_in_threadpool(answer, request, body)

    return handler


def version_in(request: Request) -> int | None:
    """Read the version in the URL, None when it names none.

    Raises:
        InvalidInput: it is not a number.
    """
    text = request.path_params.get("version")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()):
        raise InvalidInput(f"Could not parse model version in request - Actual: {text!r}")
    return int(text) or None


def refuse(_: Request, error: Exception) -> JSONResponse:
    """Turn an error of the tree into its status code and text."""
    wait_s = retry_after_s(error)
    headers = {} if wait_s is None else {"retry-after": str(max(1, round(wait_s)))}
    return JSONResponse({"error": str(error)}, codes_of(error).http, headers)


def refuse_url(_: Request, error: Exception) -> JSONResponse:
    """Answer what the router or the body reader refused."""
    status, detail = 404, ""
    if isinstance(error, HTTPException):
        status, detail = error.status_code, error.detail
    return JSONResponse({"error": _TEXTS.get(status, detail)}, status)


def refuse_fault(_: Request, error: Exception) -> JSONResponse:
    """Tell the client the kind of a fault of the server; uvicorn logs it whole."""
    return JSONResponse({"error": f"Internal server error - {error!r}"}, 500)


ERROR_HANDLERS: dict[Any, Callable[[Request, Exception], Response]] = {
    **dict.fromkeys(EXPECTED, refuse),
    HTTPException: refuse_url,
    Exception: refuse_fault,
}


async def _read_body(request: Request) -> bytes:
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > MAX_BODY_BYTES:
        raise HTTPException(413, f"Request body exceeds {MAX_BODY_BYTES} bytes")
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_BODY_BYTES:
            raise HTTPException(413, f"Request body exceeds {MAX_BODY_BYTES} bytes")
        chunks.append(chunk)
    return b"".join(chunks)
