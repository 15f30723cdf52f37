"""The sink that posts each event to an address the operator has allowed."""

import asyncio
import hashlib
import hmac
import logging
import ssl
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import httpx

from camfleet.service.events.stored import Stored
from camfleet.service.sinks.event_ids import id_for_header
from camfleet.service.sinks.ports import SinkContext, SinkDown, SinkUnusable
from camfleet.service.sinks.reasons import in_words
from camfleet_contracts.secret_references import resolve_secret
from camfleet_contracts.sinks import WebhookSink

logger = logging.getLogger(__name__)

GIVEN_UP_CODES = frozenset({400, 413, 422})  # about this event; others are about the address
LARGEST_ANSWER = 65_536  # read, so that the connection can be used again


@asynccontextmanager
async def open_webhook(
    name: str, settings: WebhookSink, context: SinkContext
) -> AsyncIterator["Webhook"]:
    """A client that follows no redirect, uses no proxy and goes to this one address."""
    _check_host(settings.address, context.webhook_hosts)
    environment = context.environment()
    try:
        secret = resolve_secret(settings.secret, environment)
        token = resolve_secret(settings.token, environment)
        verify = ssl.create_default_context(cafile=settings.ca)
    except (ValueError, OSError) as error:
        raise SinkUnusable(f"{error}") from error
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it would log every address it posts to
    headers = {"content-type": "application/json", "user-agent": "camfleet"}
    if token:
        headers["authorization"] = f"Bearer {token}"
    async with httpx.AsyncClient(
        verify=verify,
        timeout=settings.timeout_s,
        headers=headers,
        follow_redirects=False,
        trust_env=False,
    ) as client:
        yield Webhook(name, client, settings.address, secret)


class Webhook:
    """Posts one event after the other."""

    at_once = 1

    def __init__(
        self, name: str, client: httpx.AsyncClient, address: str, secret: str | None
    ) -> None:
        self._name, self._client, self._address, self._secret = name, client, address, secret
        self._where = _without_path(address)
        self._last_refusal: int | None = None

    async def deliver(self, events: Sequence[Stored]) -> int:
        """Post them; those that the other side cannot take are given up."""
        refused = 0
        for event in events:
            refused += not await self._post(event)
        return refused

    async def wait_lost(self) -> str:
        """Every post connects for itself."""
        await asyncio.Event().wait()
        return ""

    async def _post(self, event: Stored) -> bool:
        """True when it arrived, False when it is refused for good."""
        body = event.text.encode()
        try:
            async with self._client.stream(
                "POST", self._address, content=body, headers=self._headers(event, body)
            ) as response:
                await _read_a_little(response)
        except httpx.HTTPError as error:
            reason = in_words(error).replace(self._address, self._where)
            raise SinkDown(f"{self._where}: {reason}") from error
        return self._is_taken(response)

    def _headers(self, event: Stored, body: bytes) -> dict[str, str]:
        moment = str(int(time.time()))
        headers = {
            "x-camfleet-event-id": id_for_header(event),
            "x-camfleet-timestamp": moment,
        }
        if self._secret:
            headers["x-camfleet-signature"] = signature(self._secret, moment, body)
        return headers

    def _is_taken(self, response: httpx.Response) -> bool:
        code = response.status_code
        if response.is_success:
            self._last_refusal = None
            return True
        if response.is_redirect:
            target = urlsplit(response.headers.get("location", "")).hostname or "elsewhere"
            way = f"points to {target}; redirects are not followed"
            raise SinkDown(f"{self._where} answers {code} and {way}")
        if code not in GIVEN_UP_CODES:
            raise SinkDown(f"{self._where} answers {code}", _retry_after_s(response))
        if self._last_refusal != code:
            logger.warning("webhook refuses events sink=%s code=%s", self._name, code)
            self._last_refusal = code
        return False


def signature(secret: str, moment: str, body: bytes) -> str:
    """What `x-camfleet-signature` holds: HMAC-SHA256 over `<timestamp>.<body>`."""
    signed = moment.encode() + b"." + body
    return "sha256=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def _without_path(address: str) -> str:
    """What may be shown: the path of some addresses is their secret."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def _check_host(address: str, allowed: frozenset[str]) -> None:
    parts = urlsplit(address)
    host = (parts.hostname or "").lower()
    port = parts.port or (443 if parts.scheme == "https" else 80)
    if not {host, f"{host}:{port}"} & allowed:
        way = f"set CAMFLEET_WEBHOOK_HOSTS={host}:{port} (a list with commas) to allow it"
        raise SinkUnusable(f"host {host}:{port} is not allowed; {way}")


async def _read_a_little(response: httpx.Response) -> None:
    size = 0
    async for part in response.aiter_raw():
        size += len(part)
        if size > LARGEST_ANSWER:
            return


def _retry_after_s(response: httpx.Response) -> float:
    try:
        return max(0.0, float(response.headers.get("retry-after", "0")))
    except ValueError:
        return 0.0
