"""What is told of a camera while its source is let go, and when it is opened again."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from camfleet_capture.access_unit import AccessUnit
from camfleet_capture.camera import Camera
from camfleet_capture.errors import SourceLost, SourceMissing
from camfleet_capture.sources.base import Loop, SourceDetails
from camfleet_capture.sources.table import SourceAddress
from camfleet_capture.stop import Stop
from camfleet_capture.stream import Stream


class SlowToClose:
    """Gives one picture, ends, and closes when it may."""

    details = SourceDetails("h264", 2, 2, 1.0)
    loop: Loop | None = None
    note: str | None = None

    def __init__(self) -> None:
        self.is_closing, self.may_close = threading.Event(), threading.Event()

    def units(self, _stop: Stop) -> Iterator[AccessUnit]:
        yield AccessUnit((b"\x65",), True, 0, 0.0)
        raise SourceLost("the stream ended")

    def truth(self) -> dict[str, Any] | None:
        return None

    def close(self) -> None:
        self.is_closing.set()
        self.may_close.wait(20)


def test_a_source_that_is_slow_to_close_is_told_without_a_time_that_never_was() -> None:
    loop, source = asyncio.new_event_loop(), SlowToClose()
    address = SourceAddress("testcard", Path())
    camera = Camera(address, Stream("door", loop), lambda _: source)
    camera.start()
    assert source.is_closing.wait(20)
    condition = camera.condition
    source.may_close.set()
    camera.stop(20)
    loop.close()
    assert "inf" not in str(condition.reason)


def test_a_source_is_not_opened_again_while_its_fault_still_holds() -> None:
    loop, looks, done = asyncio.new_event_loop(), iter([True, True, False]), threading.Event()
    happened: list[str] = []

    def still_holds() -> bool:
        happened.append("look")
        return next(looks)

    def refuse(_: SourceAddress) -> SlowToClose:
        if "look" in happened:
            done.set()
        happened.append("open")
        raise SourceMissing("sends its readers on and on", still_holds=still_holds)

    camera = Camera(SourceAddress("testcard", Path()), Stream("door", loop), refuse)
    camera.start()
    assert done.wait(60)
    camera.stop(20)
    loop.close()
    assert happened[:5] == ["open", "look", "look", "look", "open"]
