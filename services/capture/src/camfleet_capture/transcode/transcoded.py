"""The H.264 4:2:0 stream beside a camera's own, made only while somebody reads it."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

from camfleet_capture.access_unit import AccessUnit
from camfleet_capture.codecs import h264
from camfleet_capture.stream import Stream
from camfleet_capture.transcode.encoding_process import EncodingProcess
from camfleet_contracts.cameras import H264_SUFFIX
from camfleet_contracts.logs import get_logger

START_PATIENCE_S = 10.0
_LINGER_S = 3.0  # between DESCRIBE and PLAY nobody reads
_LOOK_S = 0.5
_SHORTEST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 30.0
_USUAL_FPS = 15.0

# Constrained baseline, main, extended, high: what every decoder takes, 8 bits and 4:2:0.
_PLAIN_PROFILES = frozenset({66, 77, 88, 100})

logger = get_logger(__name__)


def is_plain(key: AccessUnit) -> bool:
    """Tell whether every reader takes pictures like this one: H.264, 4:2:0, 8 bits."""
    if key.codec != "h264":
        return False
    formats = [h264.parse_sps(nal) for nal in key.nals if h264.nal_type(nal) == h264.SPS]
    return all(f and f.chroma == 1 and f.profile in _PLAIN_PROFILES for f in formats)


class TranscodedStream:
    """Encodes in a process of its own, or passes on what every reader takes anyhow.

    The process starts when somebody asks and ends soon after the last reader left. When it
    crashes, the readers of this stream miss some pictures, and nobody else anything.

    Args:
        fps: tells the rate of the camera's pictures, None before it is known.
        always: encode also what every reader takes.
    """

    def __init__(self, source: Stream, fps: Callable[[], float | None], *, always: bool) -> None:
        self.stream = Stream(
            source.name + H264_SUFFIX, asyncio.get_running_loop(), START_PATIENCE_S
        )
        self.fault: str | None = None
        self.is_encoding = False
        self._source, self._fps, self._always = source, fps, always
        self._wanted_at = 0.0
        self._task: asyncio.Task[None] | None = None

    def wake(self) -> Stream:
        """Return the stream; somebody is about to read it."""
        self._wanted_at = time.monotonic()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._serve(), name=f"transcode-{self._source.name}")
        return self.stream

    async def close(self) -> None:
        """End the process, and wait for it."""
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    def _needs_encoding(self, key: AccessUnit) -> bool:
        return self._always or not is_plain(key)

    def _is_wanted(self) -> bool:
        if self.stream.readers or self.stream.waiting:
            self._wanted_at = time.monotonic()
        return time.monotonic() - self._wanted_at < _LINGER_S

    async def _serve(self) -> None:
        """Make it while it is wanted; who comes while that ends has it made anew."""
        is_well = True
        while is_well and self._is_wanted():
            is_well = await self._make_while_wanted()

    async def _make_while_wanted(self) -> bool:
        """Return False when making it failed."""
        making = asyncio.create_task(self._make(), name=f"make-{self.stream.name}")
        try:
            while self._is_wanted() and not making.done():
                await asyncio.wait({making}, timeout=_LOOK_S)
        finally:
            making.cancel()
            await asyncio.wait({making})
            self.stream.forget()
        error = None if making.cancelled() else making.exception()
        if error:
            self.fault = f"{type(error).__name__}: {error}"
            logger.error("transcoding failed", camera=self._source.name, reason=self.fault)
        return error is None

    async def _make(self) -> None:
        pause_s = _SHORTEST_PAUSE_S
        while True:
            key = await self._source.first_key(_LONGEST_PAUSE_S)
            if key is None:
                continue
            if not self._needs_encoding(key):
                await self._pass_on()
            elif await self._encode():
                pause_s = _SHORTEST_PAUSE_S
            else:
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    async def _pass_on(self) -> None:
        """Pass the camera's units on until it sends others than every reader takes."""
        ended = asyncio.Event()
        taker = _Taker(self.stream.deliver, ended.set, self._is_behind)
        with _Feed(self._source, taker, self._is_passed_on) as feed:
            await ended.wait()
        self._end_with(feed)

    def _is_behind(self) -> bool:
        """Whether the readers of what is made have much to take, or none is there for it."""
        return self.stream.latest_key is not None and self.stream.is_held

    def _end_with(self, feed: "_Feed") -> None:
        if feed.has_ended:
            self.stream.end()

    def _is_passed_on(self, key: AccessUnit) -> bool:
        return not self._needs_encoding(key)

    async def _wait_for_turn(self, unit: AccessUnit) -> None:
        """Of a film that waits for its readers, keep the first group until somebody takes it.

        What was in the encoder before its first picture came may be several groups.
        """
        if unit.is_key and self._source.is_in_turn and self.stream.latest_key:
            await self.stream.wait_for_listener()

    async def _encode(self) -> bool:
        """Encode until the child ends; False when it ended without being told to."""
        child = await EncodingProcess.start(self._fps() or _USUAL_FPS)
        self.is_encoding = True
        logger.info("transcoding begins", camera=self._source.name)
        taker = _Taker(child.feed, child.finish, lambda: child.is_behind or self._is_behind())
        feed = _Feed(self._source, taker, self._needs_encoding)
        try:
            with feed:
                async for unit in child.units():
                    self.fault = None
                    await self._wait_for_turn(unit)
                    self.stream.deliver(unit)
        finally:
            code = await child.end()
            self.is_encoding = False
            logger.info("transcoding ended", camera=self._source.name, code=code)
        self._end_with(feed)
        self.stream.forget()
        if not feed.is_over:
            self.fault = f"the process that encodes it ended with code {code}"
            logger.warning("transcoding broke off", camera=self._source.name, reason=self.fault)
        return feed.is_over


@dataclass(frozen=True, slots=True)
class _Taker:
    """What takes a stream's units: `take` each, `finish` after the last."""

    take: Callable[[AccessUnit], None]
    finish: Callable[[], None]
    is_behind: Callable[[], bool]


class _Feed:
    """Gives a taker a stream's units from its newest key picture on, while they are its kind."""

    def __init__(
        self, source: Stream, taker: _Taker, is_kind: Callable[[AccessUnit], bool]
    ) -> None:
        self._source, self._taker, self._is_kind = source, taker, is_kind
        self.is_over = self.has_ended = False

    def __enter__(self) -> Self:
        for unit in self._source.group:
            self._taker.take(unit)
        self._source.listen(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._source.unlisten(self)

    def takes_at_once(self, _unit: AccessUnit) -> bool:
        """Never: pipe and stream of what is made are the event loop's."""
        return False

    def deliver(self, unit: AccessUnit) -> None:
        """Take the next unit."""
        if unit.is_key and not self._is_kind(unit):
            self._stop()
        if not self.is_over:
            self._taker.take(unit)

    def forget(self) -> None:
        """Go on: the next unit is a key picture."""

    def end(self) -> None:
        """Know that nothing follows."""
        self.has_ended = True
        self._stop()

    @property
    def is_behind(self) -> bool:
        """Whether the taker is."""
        return self._taker.is_behind()

    def _stop(self) -> None:
        """Nothing of this kind follows."""
        self.is_over = True
        self._taker.finish()
