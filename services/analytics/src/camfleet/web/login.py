"""Login: by a link that works once, or with a key; the browser gets a session cookie."""

import logging
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from camfleet.web.bodies import read_body
from camfleet_contracts.access import SESSION_COOKIE, check_key
from camfleet_contracts.keys import SESSION_LIFETIME_S, Key, KeyStore, TooManyChecks

logger = logging.getLogger(__name__)

LARGEST_FORM_BYTES = 4096  # a key is far shorter


async def log_in(request: Request, keys: KeyStore) -> Response:
    """GET with `token`, or POST of a form with `key`; 303 to the page or back to the form."""
    if request.method == "POST":
        body = await read_body(request, LARGEST_FORM_BYTES)
        if body is None:
            return PlainTextResponse("the form is too large; send only the key\n", 413)
        fields = parse_qs(body.decode("utf-8", "replace"))
        try:
            key = await check_key(keys, fields.get("key", [""])[0].strip(), _peer_of(request))
        except TooManyChecks as error:
            return PlainTextResponse(f"{error}\n", 429, {"retry-after": "1"})
    else:
        key = keys.use_login(request.query_params.get("token", ""))
    if key is None:
        return RedirectResponse("/login?failed=1", status_code=303)
    logger.info("logged in who=%s role=%s peer=%s", key.name, key.role, _peer_of(request))
    return _welcome(request, keys, key)


def _peer_of(request: Request) -> str:
    return request.client.host if request.client else ""


def _welcome(request: Request, keys: KeyStore, key: Key) -> Response:
    response = RedirectResponse("/", status_code=303)
    response.set_cookie(
        SESSION_COOKIE,
        keys.new_session(key),
        max_age=int(SESSION_LIFETIME_S),
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return response
