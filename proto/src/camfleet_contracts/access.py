"""Who may connect: what is bound beyond loopback needs a key, and TLS or networks allowed in clear.

`KeyMiddleware` guards HTTP and WebSocket of every service; gRPC and RTSP use the same functions.
"""

import asyncio
import ipaddress
import json
from collections.abc import Awaitable, Callable, MutableMapping
from functools import partial
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

from camfleet_contracts.key_watch import run_while
from camfleet_contracts.keys import Key, KeyStore, TooManyChecks
from camfleet_contracts.settings import FleetSettings

SESSION_COOKIE = "camfleet_session"
HEALTH_PATHS = frozenset({"/healthz", "/readyz", "/metrics"})

_NEEDED = "a key is needed; `camfleet url` makes a login link, `camfleet key add` a key"
_RENAMED = "without a key this port answers to 127.0.0.1 and localhost only, not to other names"
_ENDED = "the key was revoked, or the session is over"
_UNKNOWN = "this key is unknown or was revoked; `camfleet key add` makes one"

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class RefusedToListen(Exception):
    """An address beyond loopback is not protected as it must be."""


def is_loopback(address: str) -> bool:
    """Tell whether only this machine can reach `address` (an IP, a host name or empty)."""
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def names_this_machine(host: str) -> bool:
    """Tell whether a Host header is an address or localhost, with or without a port.

    A page of elsewhere may have its own name lead here (DNS rebinding), and then reads what it
    likes; addresses and localhost lead nobody astray.
    """
    name = host.rpartition("]")[0].removeprefix("[") or host.partition(":")[0]
    if name.lower() == "localhost":
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def speaks_tls(address: str, settings: FleetSettings) -> bool:
    """Tell whether what listens at `address` speaks TLS: with a certificate, beyond loopback."""
    return bool(settings.tls_cert and settings.tls_key) and not is_loopback(address)


def parse_networks(allow_cidr: str) -> tuple[Network, ...]:
    """Parse `ALLOW_CIDR`, a comma-separated list of networks.

    Raises:
        RefusedToListen: an item is not a network.
    """
    items = [item.strip() for item in allow_cidr.split(",") if item.strip()]
    try:
        return tuple(ipaddress.ip_network(item, strict=False) for item in items)
    except ValueError as error:
        raise RefusedToListen(f"ALLOW_CIDR: {error}; write e.g. 192.168.0.0/16") from error


def check_exposure(bind: str, settings: FleetSettings) -> tuple[Network, ...]:
    """Return the networks that may speak clear text to `bind`; empty on loopback and under TLS.

    Raises:
        RefusedToListen: `bind` is beyond loopback without TLS and without ALLOW_CIDR.
    """
    if is_loopback(bind) or speaks_tls(bind, settings):
        return ()
    networks = parse_networks(settings.allow_cidr)
    if not networks:
        raise RefusedToListen(
            f"refusing to listen on {bind}: beyond loopback set CAMFLEET_TLS_CERT and"
            " CAMFLEET_TLS_KEY, or ALLOW_CIDR=<networks where clear text is accepted>"
        )
    return networks


def is_allowed(peer: str, networks: tuple[Network, ...]) -> bool:
    """Tell whether `peer` (an IP address) may connect; no networks means everybody."""
    if not networks or is_loopback(peer):
        return True
    try:
        address = ipaddress.ip_address(peer)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None) or address
    return mapped.is_loopback or any(mapped in network for network in networks)


class KeyMiddleware:
    """Lets an ASGI request pass with a valid key or session, which it puts into the scope.

    Args:
        app: what is guarded.
        keys: the fleet's key store.
        open_paths: exact paths that need no key (health, login).
        open_prefixes: path prefixes that need no key (static files of the login page).
        networks: who may connect at all, from `check_exposure`.
        loopback_open: True lets requests to an address or to localhost pass (a port bound to
            loopback for services).
    """

    def __init__(
        self,
        app: App,
        keys: KeyStore,
        *,
        open_paths: frozenset[str] = HEALTH_PATHS,
        open_prefixes: tuple[str, ...] = (),
        networks: tuple[Network, ...] = (),
        loopback_open: bool = False,
    ) -> None:
        self._app, self._keys = app, keys
        self._open_paths, self._open_prefixes = open_paths, open_prefixes
        self._networks, self._loopback_open = networks, loopback_open

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 403, 401 or 429 itself, or hand on to the app."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        if not is_allowed(_peer(scope), self._networks):
            reason = "this network is not in ALLOW_CIDR"
            await _refuse(scope, receive, send, (HTTPStatus.FORBIDDEN, reason))
            return
        try:
            key = await self._key_of(scope)
        except TooManyChecks as error:
            await _refuse(scope, receive, send, (HTTPStatus.TOO_MANY_REQUESTS, str(error)))
            return
        if key is None and (refusal := self._refusal_without_key(scope)):
            await _refuse(scope, receive, send, refusal)
            return
        scope["camfleet_key"] = key
        scope["camfleet_key_holds"] = holds = partial(self._still_has, scope, key)
        answering = self._app(scope, receive, send)
        if key is None or scope["type"] == "http":
            await answering
        elif not await run_while(holds, answering):
            await _close(send, HTTPStatus.UNAUTHORIZED, _ENDED)

    async def _still_has(self, scope: Scope, key: Key | None) -> bool:
        """Tell whether what the scope presents is worth what it was; for answers that last."""
        try:
            return await self._key_of(scope) == key
        except (TooManyChecks, OSError):  # it cannot be told now
            return True

    def _refusal_without_key(self, scope: Scope) -> tuple[HTTPStatus, str] | None:
        if self._is_open(scope["path"]):
            return None
        if self._loopback_open:
            is_ours = names_this_machine(_headers(scope).get("host", "localhost"))
            return None if is_ours else (HTTPStatus.FORBIDDEN, _RENAMED)
        return HTTPStatus.UNAUTHORIZED, _UNKNOWN if _presented(scope) else _NEEDED

    def _is_open(self, path: str) -> bool:
        is_prefixed = path.startswith(self._open_prefixes) if self._open_prefixes else False
        return path in self._open_paths or is_prefixed

    async def _key_of(self, scope: Scope) -> Key | None:
        if presented := _presented(scope):
            try:
                return await check_key(self._keys, presented, _peer(scope))
            except TooManyChecks:
                if self._is_open(scope["path"]):
                    return None
                raise
        cookie = _session_cookie(_headers(scope).get("cookie", ""))
        return self._keys.check_session(cookie) if cookie else None


async def check_key(keys: KeyStore, presented: str, peer: str | None = None) -> Key | None:
    """Return whose key this is, without holding the event loop.

    Args:
        keys: the fleet's key store.
        presented: what may be a key.
        peer: who presents it, of whom the log is told when it is none.

    Raises:
        TooManyChecks: others wait already.
    """
    check = keys.start_check(presented)
    key = check.result() if check.done() else await asyncio.wrap_future(check)
    if key is None and presented and peer is not None:
        keys.wrong.note(peer)
    return key


def bearer(authorization: str) -> str | None:
    """Return the token of an `Authorization: Bearer` value."""
    scheme, _, token = authorization.partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def _headers(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


def _peer(scope: Scope) -> str:
    return str((scope.get("client") or ("",))[0])


def _presented(scope: Scope) -> str | None:
    headers, query = _headers(scope), scope.get("query_string", b"")
    from_query = parse_qs(query.decode("latin-1")).get("apiKey", [None])[0]
    return bearer(headers.get("authorization", "")) or headers.get("x-api-key") or from_query


def _session_cookie(header: str) -> str | None:
    try:
        morsel = SimpleCookie(header).get(SESSION_COOKIE)
    except CookieError:
        return None
    return morsel.value if morsel else None


async def _close(send: Send, status: HTTPStatus, reason: str) -> None:
    await send({"type": "websocket.close", "code": 4000 + status, "reason": reason})


async def _refuse(
    scope: Scope, receive: Receive, send: Send, answer: tuple[HTTPStatus, str]
) -> None:
    status, reason = answer
    if scope["type"] == "websocket":
        await receive()  # a browser is told code and reason only of a connection that was accepted
        await send({"type": "websocket.accept"})
        await _close(send, status, reason)
        return
    headers = [(b"content-type", b"application/json")]
    if status == HTTPStatus.UNAUTHORIZED:
        headers.append((b"www-authenticate", b"Bearer"))
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        headers.append((b"retry-after", b"1"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps({"error": reason}).encode()})
