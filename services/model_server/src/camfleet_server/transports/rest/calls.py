"""What every REST handler shares: bodies, versions in the URL, errors as JSON."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from camfleet_contracts.access import is_loopback
from camfleet_contracts.logs import get_logger
from camfleet_contracts.names import sendable
from camfleet_contracts.volume import version_number
from camfleet_server.errors import InvalidInput
from camfleet_server.transports.codes import EXPECTED, codes_of, retry_after_s
from camfleet_server.transports.rest.bodies import Body, Share, read_body
from camfleet_server.transports.rest.compression import decoded_body
from camfleet_server.transports.rest.work import Work, client_of
from camfleet_server.transports.roles import VIEWER_MAY_NOT, may_change
from camfleet_server.types import OnAbandoned

logger = get_logger(__name__)

_NOT_FOUND = 404
_API_PATHS = ("/v1/", "/v2/")
_FOREIGN = "a page of another site may not control this server"
_STOPPING = "the server is stopping"
_TEXTS = {404: "Invalid request URL", 405: "Unsupported method"}

Handler = Callable[[Request], Awaitable[Response]]


def with_body(answer: Callable[[Request, Body], Response], *, is_control: bool = False) -> Handler:
    """Read the body, then answer in a worker.

    Control is what no inference keeps waiting, and what a viewer's key may not do.
    """

    async def handler(request: Request) -> Response:
        key = request.scope.get("camfleet_key")
        if is_control and key is not None and not may_change(key):
            raise HTTPException(403, VIEWER_MAY_NOT)
        if is_control and key is None and _is_foreign(request.headers.get("origin")):
            raise HTTPException(403, _FOREIGN)
        work: Work = request.app.state.control if is_control else request.app.state.work
        with work.bodies.holding() as share:
            body = await read_body(request, share)
            return await work.run(request, partial(_answered, answer, request, body, share))

    return handler


def _is_foreign(origin: str | None) -> bool:
    """Tell whether a browser asks for a page of elsewhere.

    Browsers name the page's origin in every POST, also where its name was made to lead here (DNS
    rebinding); other clients name none.
    """
    if origin is None:
        return False
    try:
        return not is_loopback(urlsplit(origin).hostname or "")
    except ValueError:  # no URL
        return True


def _answered(
    answer: Callable[[Request, Body], Response], request: Request, body: Body, share: Share
) -> Response:
    return answer(request, decoded_body(request, body, share))


def on_abandoned(request: Request) -> OnAbandoned:
    """Return what registers callbacks for the case that the client goes away."""
    return client_of(request).on_abandoned


def peer_of(request: Request) -> Callable[[], str]:
    """Return what tells the connection a request came over."""
    return lambda: str(request.scope.get("client"))


def version_in(request: Request) -> int | None:
    """Read the version in the URL, None when it names none.

    Raises:
        InvalidInput: it is not a number.
    """
    text = request.path_params.get("version")
    if text is None:
        return None
    number = version_number(text)
    if number is None:
        raise InvalidInput(f"Could not parse model version in request - Actual: {text[:40]!r}")
    return number or None


def refuse(_: Request, error: Exception) -> JSONResponse:
    """Turn an error of the tree into its status code and text."""
    wait_s = retry_after_s(error)
    headers = {} if wait_s is None else {"retry-after": str(max(1, round(wait_s)))}
    # A name in JSON may hold half of a character ("\ud800"), which cannot be sent back as it is.
    return JSONResponse({"error": sendable(str(error))}, codes_of(error).http, headers)


def refuse_url(request: Request, error: Exception) -> JSONResponse:
    """Answer what the router or the body reader refused."""
    assert isinstance(error, HTTPException)  # noqa: S101 - it is registered for that alone
    status = error.status_code
    text = _TEXTS.get(status, error.detail)
    if status == _NOT_FOUND and request.url.path.startswith(_API_PATHS):
        status = 400  # as OVMS: 404 would tell clients that the model is missing
    return JSONResponse({"error": text}, status, error.headers)


def refuse_fault(_: Request, error: Exception) -> JSONResponse:
    """Tell the client the kind of a fault of the server; `ending_faults` logs it whole."""
    return JSONResponse({"error": f"Internal server error - {error!r}"}, 500)


def ending_faults(app: ASGIApp) -> ASGIApp:
    """Log the faults that Starlette raises again once they are told, and tell who is cut.

    uvicorn would close the connection, under the next request of a client that keeps it; whom the
    end of the server cuts it would answer with 500, which clients do not try again.
    """

    async def ended(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await app(scope, receive, send)
        # The drain is over. The task ends here as well, so nobody misses the cancellation.
        except asyncio.CancelledError:
            refusal = JSONResponse({"error": _STOPPING}, 503, {"retry-after": "1"})
            with suppress(RuntimeError):  # the answer had begun
                await refusal(scope, receive, send)
        # A request ends here: its client knows the kind of the fault, the log gets all of it.
        except Exception:
            logger.exception("rest_failed", path=scope.get("path"))

    return ended


ERROR_HANDLERS: dict[Any, Callable[[Request, Exception], Response]] = {
    **dict.fromkeys(EXPECTED, refuse),
    HTTPException: refuse_url,
    Exception: refuse_fault,
}
