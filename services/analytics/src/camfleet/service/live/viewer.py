"""One watcher's bounded line of fragments, between a camera's thread and the event loop."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from camfleet.service.live.muxer import Fragment

_MOST_FRAGMENTS = 90
_MOST_BYTES = 8 * 2**20


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why this camera cannot be copied into a browser; the page then shows Motion JPEG."""

    reason: str


Message = Fragment | Refusal


class Viewer:
    """Made and read on the event loop; `offer_to_all` and `end` may be called from any thread.

    A viewer that falls behind loses what is waiting and goes on at the next key frame.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._waiting: deque[Message] = deque()
        self._size_bytes = 0
        self._wants_key = True
        self._ended = False
        self._changed = asyncio.Event()
        self.dropped = 0

    def end(self) -> None:
        """Tell the viewer that nothing more will come."""
        _call(self.loop, self._end)

    def append(self, messages: list[Message]) -> None:
        """Queue messages; on the event loop."""
        for message in messages:
            self._append(message)
        self._changed.set()

    async def take(self) -> Message | None:
        """The next message; None when the camera ended."""
        while not self._waiting and not self._ended:
            self._changed.clear()
            await self._changed.wait()
        if self._ended:
            return None
        message = self._waiting.popleft()
        self._size_bytes -= _size(message)
        return message

    def _append(self, message: Message) -> None:
        if isinstance(message, Fragment) and not self._accepts(message):
            self.dropped += 1
            return
        self._waiting.append(message)
        self._size_bytes += _size(message)

    def _accepts(self, fragment: Fragment) -> bool:
        if self._is_full():
            self.dropped += len(self._waiting)
            self._waiting.clear()
            self._size_bytes = 0
            self._wants_key = True
        if self._wants_key and not fragment.is_key:
            return False
        self._wants_key = False
        return True

    def _is_full(self) -> bool:
        return len(self._waiting) >= _MOST_FRAGMENTS or self._size_bytes >= _MOST_BYTES

    def _end(self) -> None:
        self._ended = True
        self._changed.set()


def offer_to_all(viewers: tuple[Viewer, ...], messages: list[Message]) -> None:
    """Queue messages for viewers, waking their loop once: a wake-up costs more than a message."""
    loops = {viewer.loop for viewer in viewers} if messages else ()
    for loop in loops:
        _call(loop, _append_to_all, [one for one in viewers if one.loop is loop], messages)


def _append_to_all(viewers: list[Viewer], messages: list[Message]) -> None:
    for viewer in viewers:
        viewer.append(messages)


def _call(loop: asyncio.AbstractEventLoop, function: Callable[..., None], *args: object) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(function, *args)


def _size(message: Message) -> int:
    return len(message.payload) if isinstance(message, Fragment) else 0
