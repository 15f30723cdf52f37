"""The sink that publishes to an MQTT broker with QoS 1."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import aiomqtt

from camfleet.service.events.stored import Stored
from camfleet.service.sinks.home_assistant import announced_before, announcements
from camfleet.service.sinks.mqtt_topics import Layout, layout_of
from camfleet.service.sinks.ports import SinkContext, SinkDown, SinkUnusable
from camfleet.service.sinks.publication import Publication
from camfleet.service.sinks.reasons import in_words
from camfleet_contracts.cameras import Camera
from camfleet_contracts.secret_references import resolve_credentials
from camfleet_contracts.sinks import MqttSink

ANSWER_LIMIT_S = 10
KEEPALIVE_S = 15
FAREWELL_LIMIT_S = 1.0
MOST_PENDING = 1000  # publishes under way; announcements come all at once


@asynccontextmanager
async def open_mqtt(
    name: str, settings: MqttSink, context: SinkContext
) -> AsyncIterator["MqttPublisher"]:
    """A session that the broker keeps; its last will says that we are gone."""
    layout = layout_of(settings, context.device_id)
    client = _client(name, settings, context, layout)
    try:
        async with client:
            publisher = MqttPublisher(name, client, settings, context)
            await publisher.publish([layout.online])
            await publisher.look_for_leftovers()
            try:
                yield publisher
            except asyncio.CancelledError:
                await _say_goodbye(publisher, layout)
                raise
    except aiomqtt.MqttError as error:
        raise SinkDown(f"{urlsplit(settings.address).netloc}: {in_words(error)}") from error


class MqttPublisher:
    """Publishes events in order; each counts as delivered when the broker has acknowledged it."""

    at_once = 20  # paho's own window; all of them come again when the connection breaks

    def __init__(
        self, name: str, client: aiomqtt.Client, settings: MqttSink, context: SinkContext
    ) -> None:
        self._name, self._client, self._settings = name, client, settings
        self._context, self._layout = context, layout_of(settings, context.device_id)
        self._announced: dict[str, str] = {}
        self._announced_for: tuple[Camera, ...] | None = None
        self._told_of: dict[str, Camera] = {}

    async def deliver(self, events: Sequence[Stored]) -> int:
        """Announce what is new to Home Assistant, then publish the events.

        When none waits, the broker's word on cameras that are new here is put right: it may be
        that of a process that was killed, and the next event may be long in coming.
        """
        await self._announce()
        await self.publish(one for event in events for one in self._layout.publications(event))
        if not events:
            await self._tell_states()
        return 0

    async def wait_lost(self) -> str:
        """Return when the broker is gone."""
        with contextlib.suppress(aiomqtt.MqttError):
            async for message in self._client.messages:
                if message.retain and message.payload:
                    await self._clear_if_gone(message.topic.value)
        return f"{urlsplit(self._settings.address).netloc}: the broker closed the connection"

    async def look_for_leftovers(self) -> None:
        """Ask the broker what it keeps for Home Assistant: some of it may be gone by now."""
        if self._settings.home_assistant:
            topics = announced_before(self._settings, self._context.device_id)
            await self._client.subscribe(topics)

    async def _clear_if_gone(self, topic: str) -> None:
        """Not while it may come again: of a file that is faulty, of a camera that is unplugged."""
        cameras = self._context.all_cameras()
        if not cameras or any(camera.source == "auto" for camera in cameras):
            return
        if topic not in announcements(self._settings, self._context.device_id, cameras):
            await self.publish([Publication(topic, "", True)])

    async def publish(self, publications: Iterable[Publication]) -> None:
        """Return when the broker has them all. Sent in this order over one connection."""
        await asyncio.gather(
            *(
                self._client.publish(one.topic, one.payload, qos=1, retain=one.is_retained)
                for one in publications
            )
        )

    async def _tell_states(self) -> None:
        for camera in self._context.cameras(self._name):
            is_told = self._told_of.get(camera.name) is camera
            now = None if is_told else self._context.now(camera)
            if now is not None:
                await self.publish(self._layout.kept(camera.name, now))
                self._told_of[camera.name] = camera

    async def _announce(self) -> None:
        if not self._settings.home_assistant:
            return
        cameras = self._context.cameras(self._name)
        if self._announced_for is not None and _are_the_same(cameras, self._announced_for):
            return
        wanted = announcements(self._settings, self._context.device_id, cameras)
        gone = {topic: "" for topic in self._announced if topic not in wanted}
        news = {t: text for t, text in wanted.items() if self._announced.get(t) != text}
        await self.publish(Publication(t, text, True) for t, text in {**gone, **news}.items())
        self._announced, self._announced_for = wanted, cameras


def _are_the_same(some: tuple[Camera, ...], others: tuple[Camera, ...]) -> bool:
    return len(some) == len(others) and all(a is b for a, b in zip(some, others, strict=True))


async def _say_goodbye(publisher: MqttPublisher, layout: Layout) -> None:
    """A session that ends in order leaves no last will."""
    with contextlib.suppress(aiomqtt.MqttError, TimeoutError):
        async with asyncio.timeout(FAREWELL_LIMIT_S):
            await publisher.publish([layout.offline])


def _client(name: str, settings: MqttSink, context: SinkContext, layout: Layout) -> aiomqtt.Client:
    parts = urlsplit(settings.address)
    is_encrypted = parts.scheme == "mqtts"
    options: dict[str, Any] = {}
    try:
        if is_encrypted:
            options["tls_context"] = ssl.create_default_context(cafile=settings.ca)
        credentials = resolve_credentials(settings.credentials, context.environment())
    except (ValueError, OSError) as error:
        raise SinkUnusable(str(error)) from error
    if credentials:
        options["username"], options["password"] = credentials
    client = aiomqtt.Client(
        parts.hostname or "",
        parts.port or (8883 if is_encrypted else 1883),
        identifier=f"camfleet-{context.device_id}-{name}",
        will=aiomqtt.Will(layout.offline.topic, layout.offline.payload, qos=1, retain=True),
        clean_session=False,
        keepalive=KEEPALIVE_S,
        timeout=ANSWER_LIMIT_S,
        **options,
    )
    client.pending_calls_threshold = MOST_PENDING
    return client
