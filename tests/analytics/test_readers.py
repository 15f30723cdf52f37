"""Cameras that read one address share its connection: a real capture service, real readers."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from camera_readers import CountingSink, capturing
from camfleet.service.reading import Readers, Subscription
from camfleet.video.backoff import Backoff
from camfleet.video.connection import ReaderState
from camfleet.video.frames import Frame
from free_ports import free_port
from waiting import wait_until

NOWHERE = "rtsp://127.0.0.1:1/x"


class Watcher:
    """A subscriber that notes every frame it is offered."""

    def __init__(self, readers: Readers, name: str, address: Callable[[], str]) -> None:
        self.sink = CountingSink()
        self.source = Subscription(readers, name, address, self.sink)
        self.source.slot.wants = self._note
        self.frames: list[Frame] = []

    def _note(self, frame: Frame) -> bool:
        self.frames.append(frame)
        return True

    @property
    def state(self) -> ReaderState:
        return self.source.connection.state

    def sees(self, more: int = 1) -> None:
        """Wait for so many frames more."""
        wanted = len(self.frames) + more
        wait_until(lambda: len(self.frames) >= wanted, 60, "frames")


def reason_of(watcher: Watcher) -> str:
    return str(wait_until(lambda: watcher.source.connection.reason, 60, "the reason"))


@contextmanager
def watching(readers: Readers, name: str, address: Callable[[], str] | str) -> Iterator[Watcher]:
    found = address if callable(address) else lambda: str(address)
    watcher = Watcher(readers, name, found)
    watcher.source.start()
    try:
        yield watcher
    finally:
        watcher.source.stop(10)


def reader_threads() -> list[str]:
    return [one.name for one in threading.enumerate() if one.name.startswith("reader-")]


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with capturing(tmp_path_factory.mktemp("readers")) as (_, found):
        yield found


@pytest.fixture(autouse=True)
def ends_all_readers() -> Iterator[None]:
    """However a test goes about it: who was the last one has ended its reader."""
    before = reader_threads()
    yield
    wait_until(lambda: reader_threads() == before, 60, "the readers end")


def test_two_that_look_at_one_address_share_connection_and_pictures(port: int) -> None:
    readers = Readers()
    spellings = (f"rtsp://127.0.0.1:{port}/street", f"RTSP://localhost:{port}/street")
    with (
        watching(readers, "one", spellings[0]) as one,
        watching(readers, "two", spellings[1]) as two,
    ):
        one.sees(5)
        two.sees(5)
        assert reader_threads() == ["reader-one"]
        assert one.source.reads_with == ("two",)
        own = {frame.number: frame for frame in one.frames}
        assert all(own[frame.number] is frame for frame in two.frames if frame.number in own)
        assert one.source.counts.connections == two.source.counts.connections == 1
        assert one.sink.streams == two.sink.streams == ["h264"]


def test_others_that_come_and_go_cost_nobody_a_frame_or_the_connection(port: int) -> None:
    readers, address = Readers(), f"rtsp://127.0.0.1:{port}/street"
    with watching(readers, "one", address) as first, watching(readers, "two", address) as staying:
        staying.sees(5)
        for _ in range(3):
            with watching(readers, "three", address) as passing:
                passing.sees(3)
                assert passing.state is ReaderState.LIVE
        first.source.stop()
        staying.sees(5)
        numbers = [frame.number for frame in staying.frames]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert {frame.connection for frame in staying.frames} == {1}
    assert (passing.sink.streams, passing.sink.ends) == (["h264"], 1)
    assert (first.sink.ends, staying.sink.ends) == (1, 1)


def test_the_last_one_ends_the_reader_and_who_comes_back_connects_anew(port: int) -> None:
    readers, address = Readers(), f"rtsp://127.0.0.1:{port}/street"
    for _ in range(2):
        with watching(readers, "one", address) as one:
            one.sees()
            assert reader_threads() == ["reader-one"]
        assert reader_threads() == []
        assert (one.sink.streams, one.sink.ends) == (["h264"], 1)


def test_a_stall_is_seen_by_all_and_so_is_its_end(tmp_path: Path) -> None:
    readers = Readers()
    with capturing(tmp_path) as (capture, port), ExitStack() as stack:
        address = f"rtsp://127.0.0.1:{port}/street"
        both = [stack.enter_context(watching(readers, name, address)) for name in ("one", "two")]
        for one in both:
            one.sees()
        os.kill(capture.process.pid, signal.SIGSTOP)
        try:
            wait_until(lambda: all(one.state is not ReaderState.LIVE for one in both), 60, "stall")
            assert both[0].source.connection == both[1].source.connection
            assert both[0].source.connection.reason
        finally:
            os.kill(capture.process.pid, signal.SIGCONT)
        for one in both:
            one.sees()
            assert one.frames[-1].connection == 2


def test_who_comes_to_a_lost_camera_does_not_wait_for_its_next_try(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Backoff, "next_s", lambda _: 3600.0)
    readers, capture_port = Readers(), free_port()
    address = f"rtsp://127.0.0.1:{capture_port}/street"
    with watching(readers, "one", address) as one:
        assert reason_of(one)
        with capturing(tmp_path, capture_port), watching(readers, "two", address) as two:
            two.sees()
            one.sees()
            assert two.source.reads_with == ("one",)


def test_an_address_that_nobody_serves_has_its_reason_for_each(port: int) -> None:
    readers = Readers()
    good, bad = f"rtsp://127.0.0.1:{port}/street", f"rtsp://127.0.0.1:{port}/attic"
    with (
        watching(readers, "one", good) as one,
        watching(readers, "two", bad) as two,
        watching(readers, "three", bad) as three,
    ):
        one.sees()
        for lost in (two, three):
            assert "(404)" in reason_of(lost)
            assert lost.state is ReaderState.FAILED
        assert one.state is ReaderState.LIVE


def test_who_has_other_credentials_reads_alone(port: int) -> None:
    readers = Readers()
    with (
        watching(readers, "one", f"rtsp://127.0.0.1:{port}/street") as one,
        watching(readers, "two", f"rtsp://me:secret@127.0.0.1:{port}/street") as two,
    ):
        one.sees()
        two.sees()
        assert one.source.reads_with == two.source.reads_with == ()
        assert sorted(reader_threads()) == ["reader-one", "reader-two"]


class Addresses:
    """What a camera's address is worked out to; it may change at any time."""

    def __init__(self, address: str | ValueError) -> None:
        self.address = address

    def __call__(self) -> str:
        if isinstance(self.address, ValueError):
            raise self.address
        return self.address


def test_an_address_that_cannot_be_worked_out_yet_is_said_and_read_with_others_once_it_can(
    port: int,
) -> None:
    readers, address = Readers(), f"rtsp://127.0.0.1:{port}/street"
    later = Addresses(ValueError("credentials: file secrets/two is not there"))
    with watching(readers, "one", address) as one, watching(readers, "two", later) as two:
        one.sees()
        wait_until(lambda: two.state is ReaderState.FAILED, 60, "the reason")
        assert two.source.connection.reason == "credentials: file secrets/two is not there"
        later.address = address
        two.sees()
        assert two.source.reads_with == ("one",)
        assert one.source.counts.connections == 1


def test_whose_credentials_change_reads_on_alone_from_the_next_connection_on(
    tmp_path: Path,
) -> None:
    readers, capture_port = Readers(), free_port()
    addresses = Addresses(f"rtsp://127.0.0.1:{capture_port}/street")
    with (
        watching(readers, "one", f"rtsp://127.0.0.1:{capture_port}/street") as one,
        watching(readers, "two", addresses) as two,
    ):
        with capturing(tmp_path, capture_port):
            two.sees()
        addresses.address = f"rtsp://me:secret@127.0.0.1:{capture_port}/street"
        with capturing(tmp_path, capture_port):
            one.sees()
            two.sees()
            assert two.source.reads_with == ()
            numbers = [frame.connection for frame in two.frames]
    assert len(set(numbers)) >= 2
    assert numbers == sorted(numbers)


def test_many_that_come_and_go_at_once_leave_nothing_behind() -> None:
    readers = Readers()

    def come_and_go(name: str) -> None:
        for _ in range(20):
            with watching(readers, name, NOWHERE):
                pass

    threads = [threading.Thread(target=come_and_go, args=(f"c{n}",)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (readers._by_key, readers._by_member) == ({}, {})
