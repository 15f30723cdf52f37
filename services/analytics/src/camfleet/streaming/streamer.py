"""edgeIQ's Streamer: pictures and text of a script in the browser, and a button that stops it."""

import re
import sys
import threading
import time
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from camfleet.errors import BadArgument, CannotShow
from camfleet.streaming.connecting import Screen, open_screen
from camfleet.streaming.pictures import check_picture, encode
from camfleet_contracts.settings import read_settings

_REOPEN_AFTER_S = 1.0
_END_LIMIT_S = 5.0
_SAY_NOTHING = {"app", "main", "__main__"}
_Message = tuple[NDArray[np.uint8], str]


class Streamer:
    """Shows what a script sees at http://127.0.0.1:5000 (STREAMER_PORT).

    Where a fleet's page is up there, the script appears on it as a panel; else a small page of
    its own is served, on loopback or on BIND_ADDRESS. Nothing is encoded while nobody looks.

    Args:
        queue_depth: pictures that may wait to be sent.
        inter_msg_time: seconds between two pictures, at least.
        drop_frames: when the queue is full the oldest picture is dropped; False waits.
        max_image_width: wider pictures are made smaller; None sends them as they are.
        max_image_height: the same for the height.
        port: of the page, in place of STREAMER_PORT; 0: a free one.
        name: of the panel; the script's name where none is given.

    Raises:
        BadArgument: no picture may wait, or a bound of its size is not above 0.
    """

    def __init__(  # noqa: PLR0913 - edgeIQ's arguments
        self,
        queue_depth: int = 2,
        inter_msg_time: float = 0,
        drop_frames: bool = True,
        max_image_width: int | None = 1280,
        max_image_height: int | None = 1280,
        *,
        port: int | None = None,
        name: str | None = None,
    ) -> None:
        if queue_depth < 1:
            raise BadArgument(f"queue_depth is {queue_depth}; at least one picture must fit")
        for side, most in (("width", max_image_width), ("height", max_image_height)):
            if most is not None and most < 1:
                raise BadArgument(f"max_image_{side} is {most}; give pixels, or None for no bound")
        self._depth, self._pause_s, self._drops = queue_depth, inter_msg_time, drop_frames
        self._largest = max_image_width, max_image_height
        self._port, self._name = port, name or _name_of_script()
        self._changed = threading.Condition()
        self._waiting: deque[_Message] = deque()
        self._newest: _Message | None = None
        self._screen: Screen | None = None
        self._thread: threading.Thread | None = None
        self._is_closing = self._is_to_stop = False
        self._shown_to, self._told = 0, ""
        self._reopen_at_s = 0.0
        self.encoded = 0  # pictures that somebody saw

    @property
    def address(self) -> str:
        """http://host:port of the page; empty before `setup`."""
        return self._screen.address if self._screen else ""

    def setup(self) -> Self:
        """Open the panel and say where it is; a second call does nothing.

        Raises:
            CannotShow: what listens at the port cannot be used, or no page can be made.
        """
        if self._thread is None:
            self._settings = read_settings(streamer_port=self._port)
            self._screen = open_screen(self._settings, self._name, self._wake)
            sys.stderr.write(f"Streamer: {self._name} is at {self.address}/\n")
            self._is_closing = False
            self._thread = threading.Thread(target=self._run, name="streamer", daemon=True)
            self._thread.start()
        return self

    def send_data(self, image: NDArray[Any], text: object = "") -> None:
        """Show a picture, (H, W, 3) BGR or (H, W) of uint8, and a text, a value or a list of lines.

        The image is not copied: draw into a new one for the next call.

        Raises:
            BadImage: it is no such image.
        """
        message = check_picture(image), _lines(text)
        self.setup()
        with self._changed:
            if self._drops:
                while len(self._waiting) >= self._depth:
                    self._waiting.popleft()
            else:
                self._changed.wait_for(lambda: len(self._waiting) < self._depth or self._is_over)
            self._waiting.append(message)
            self._changed.notify_all()

    def check_exit(self) -> bool:
        """Whether somebody pressed the stop button."""
        if self._screen and self._screen.feed.is_to_stop:
            self._is_to_stop = True
        return self._is_to_stop

    def wait(self) -> None:
        """Keep the last picture on the page until somebody presses the stop button."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_over)

    def close(self) -> None:
        """Send what waits, and take the panel from the page."""
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
        if self._thread:
            self._thread.join(_END_LIMIT_S)
            self._thread = None
        if self._screen:
            self._screen.close()
            self._screen = None

    def __enter__(self) -> Self:
        return self.setup()

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def _is_over(self) -> bool:
        return self._is_closing or self.check_exit()

    def _wake(self) -> None:
        """The page told what people want, or went."""
        with self._changed:
            self._changed.notify_all()

    def _run(self) -> None:
        while True:
            self._reopen_if_lost()
            message = self._next()
            if message is not None:
                self._send(*message)
                self._rest()
            elif self._is_closing:
                return

    def _next(self) -> _Message | None:
        """What is to be sent next; None when it is over, or the page has gone."""
        with self._changed:
            while not self._waiting:
                if self._newest and self._is_somebody_new():
                    return self._newest
                if self._is_closing:
                    return None
                self._changed.wait(_REOPEN_AFTER_S if self._is_lost() else None)
                if self._is_lost():
                    break
            if not self._waiting:
                return None
            self._newest = self._waiting.popleft()
            self._changed.notify_all()
            return self._newest

    def _is_lost(self) -> bool:
        return self._screen is None or self._screen.feed.is_closed

    def _is_somebody_new(self) -> bool:
        """Whether somebody began to look after the last message."""
        feed = self._screen.feed if self._screen else None
        return feed is not None and feed.is_watched and feed.arrived != self._shown_to

    def _send(self, image: NDArray[np.uint8], text: str) -> None:
        if self._screen is None or self._screen.feed.is_closed:
            return
        feed = self._screen.feed
        self._shown_to = feed.arrived
        if text != self._told:
            feed.tell(text)
            self._told = text
        if feed.is_watched:
            self.encoded += 1
            feed.show(encode(image, self._largest))

    def _reopen_if_lost(self) -> None:
        """The page went, with its fleet or script: look for another, once a second."""
        if not self._is_lost() or self._is_closing or time.monotonic() < self._reopen_at_s:
            return
        self._reopen_at_s = time.monotonic() + _REOPEN_AFTER_S
        self.check_exit()  # what the lost page said last counts
        if self._screen:
            self._screen.close()
        try:
            self._screen = open_screen(self._settings, self._name, self._wake)
        except CannotShow as error:
            sys.stderr.write(f"Streamer: {error}\n")
        self._shown_to, self._told = 0, ""

    def _rest(self) -> None:
        if self._pause_s:
            with self._changed:
                self._changed.wait_for(lambda: self._is_closing, timeout=self._pause_s)


def _lines(text: object) -> str:
    if isinstance(text, str) or not isinstance(text, Iterable):
        return str(text)
    return "\n".join(str(line) for line in text)


def _name_of_script() -> str:
    """That of its file, and where that says nothing, that of its folder."""
    path = Path(sys.argv[0] or "script").absolute()
    name = path.parent.name if path.stem in _SAY_NOTHING else path.stem
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name)[:64] or "script"
