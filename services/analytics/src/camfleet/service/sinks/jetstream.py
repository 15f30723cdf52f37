"""The sink that publishes into a NATS JetStream stream."""

import asyncio
import contextlib
import json
import re
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import nats.errors
import nats.js.errors
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import DiscardPolicy, StreamConfig

from camfleet.service.events.stored import Stored
from camfleet.service.sinks.event_ids import id_for_header
from camfleet.service.sinks.ports import SinkContext, SinkDown, SinkUnusable
from camfleet.service.sinks.reasons import in_words
from camfleet_contracts.secret_references import resolve_credentials
from camfleet_contracts.sinks import NatsSink

CONNECT_LIMIT_S = 5
ACK_LIMIT_S = 5.0
SAME_EVENT_S = 120  # JetStream takes an event id once within so long
_NO_TOKEN = re.compile(r"[^A-Za-z0-9_-]")


@asynccontextmanager
async def open_jetstream(
    name: str, settings: NatsSink, context: SinkContext
) -> AsyncIterator["JetStream"]:
    """A connection to one of the servers, with a stream that takes our subjects."""
    lost = asyncio.Event()
    client = await _connect(name, settings, context, lost)
    try:
        stream = client.jetstream(timeout=ACK_LIMIT_S)
        await _ensure_stream(stream, settings)
        yield JetStream(stream, f"{settings.subject}.{_token(context.device_id)}", lost)
    except (nats.errors.Error, TimeoutError) as error:
        raise SinkDown(_reason(error)) from error
    finally:
        await _close(client)


class JetStream:
    """Publishes one event after the other, so that none overtakes one that failed."""

    at_once = 1

    def __init__(self, stream: JetStreamContext, subject: str, lost: asyncio.Event) -> None:
        self._stream, self._subject, self._lost = stream, subject, lost

    async def deliver(self, events: Sequence[Stored]) -> int:
        """Return when the stream has stored them."""
        for event in events:
            message = json.loads(event.text)
            label = message["results"].get("event_label") or message["type"]
            subject = f"{self._subject}.{_token(event.camera or '_')}.{_token(str(label))}"
            headers = {"Nats-Msg-Id": id_for_header(event)}
            await self._stream.publish(subject, event.text.encode(), headers=headers)
        return 0

    async def wait_lost(self) -> str:
        """Return when the server is gone."""
        await self._lost.wait()
        return "the server closed the connection"


async def _connect(
    name: str, settings: NatsSink, context: SinkContext, lost: asyncio.Event
) -> Client:
    client = Client()
    options = _options(client, settings, context)
    faults: list[Exception] = []
    try:
        await client.connect(
            settings.servers,
            name=f"camfleet-{name}",
            allow_reconnect=False,  # the one who feeds us opens anew
            max_reconnect_attempts=1,  # of each server now, before this gives up
            reconnect_time_wait=0,
            connect_timeout=CONNECT_LIMIT_S,
            error_cb=_collector(faults),
            disconnected_cb=_setter(lost),
            closed_cb=_setter(lost),
            **options,
        )
        if "tls" in options:
            _require_tls(client)
    except SinkDown:
        await _close(client)
        raise
    except (nats.errors.Error, OSError, TimeoutError) as error:
        await _close(client)
        raise SinkDown(f"{settings.address}: {_reason(faults[-1] if faults else error)}") from error
    return client


async def _close(client: Client) -> None:
    with contextlib.suppress(nats.errors.Error, OSError, TimeoutError):
        await client.close()


def _options(client: Client, settings: NatsSink, context: SinkContext) -> dict[str, Any]:
    try:
        credentials = resolve_credentials(settings.credentials, context.environment())
        options: dict[str, Any] = {}
        if settings.ca or settings.address.startswith("tls"):
            options["tls"] = ssl.create_default_context(cafile=settings.ca)
    except (ValueError, OSError) as error:
        raise SinkUnusable(str(error)) from error
    if credentials:
        user, password = credentials

        def password_when_safe() -> str:
            if "tls" in options:
                _require_tls(client)
            return password

        options["user"], options["password"] = user, password_when_safe
    return options


def _require_tls(client: Client) -> None:
    """The library goes on in clear text where the server says that it has no TLS."""
    if not client._server_info.get("tls_required"):  # noqa: SLF001 - said nowhere else
        raise SinkDown("the server does not speak TLS; write nats:// to accept clear text")


async def _ensure_stream(stream: JetStreamContext, settings: NatsSink) -> None:
    subjects = f"{settings.subject}.>"
    try:
        await stream.find_stream_name_by_subject(subjects)
    except nats.js.errors.NotFoundError:
        await stream.add_stream(
            StreamConfig(
                name=settings.stream,
                subjects=[subjects],
                max_bytes=settings.stream_bytes,
                discard=DiscardPolicy.OLD,
                duplicate_window=SAME_EVENT_S,
            )
        )


def _setter(lost: asyncio.Event) -> Any:
    async def note() -> None:
        lost.set()

    return note


def _collector(faults: list[Exception]) -> Any:
    async def note(fault: Exception) -> None:
        faults[:] = [fault]

    return note


def _reason(error: Exception) -> str:
    if isinstance(error, nats.js.errors.ServiceUnavailableError | nats.errors.NoRespondersError):
        return "JetStream is not enabled there; start nats-server with -js"
    return in_words(error)


def _token(text: str) -> str:
    return _NO_TOKEN.sub("_", text) or "_"
