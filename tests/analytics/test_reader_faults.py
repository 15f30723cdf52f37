"""Cameras that hang, refuse or are never there: what the reader says, and what it does not leak."""

import gc
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from camera_readers import CountingSink, capturing, next_frame, reading
from camfleet.video import reader as reader_module
from camfleet.video.connection import ReaderState
from camfleet.video.reader import CameraReader, rtsp
from fakes_analytics import NoLiveCamera
from free_ports import free_port
from waiting import wait_until

ATTEMPTS = 200


def test_a_camera_that_stops_sending_is_stalled_and_goes_on(tmp_path: Path) -> None:
    with capturing(tmp_path) as (service, port), reading(port, CountingSink()) as reader:
        next_frame(reader)
        os.kill(service.process.pid, signal.SIGSTOP)
        try:
            wait_until(lambda: reader.connection.state is not ReaderState.LIVE, 60, "the stall")
            reason = str(reader.connection.reason)
        finally:
            os.kill(service.process.pid, signal.SIGCONT)
        wait_until(lambda: reader.connection.state is ReaderState.LIVE, 60, "the return")
    assert "stopped sending" in reason


@contextmanager
def answering(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """A TCP server that does this with every connection, and closes it."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:

        def serve() -> None:
            while True:
                try:
                    connection = listening.accept()[0]
                except OSError:
                    return
                with connection:
                    answer(connection)

        thread = threading.Thread(target=serve, name="answering")
        thread.start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
        thread.join(60)


def close_at_once(_: socket.socket) -> None:
    """Nothing is said."""


def talk_nonsense(connection: socket.socket) -> None:
    connection.recv(4096)
    connection.sendall(b"HTTP/1.0 200 what?\r\n\r\n" + b"\xff" * 500)


def deny(connection: socket.socket) -> None:
    while request := connection.recv(4096):
        number = request.partition(b"CSeq: ")[2].partition(b"\r\n")[0]
        connection.sendall(b"RTSP/1.0 404 Not Found\r\nCSeq: " + number + b"\r\n\r\n")


def test_a_host_that_accepts_and_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader_module, "OPEN_TIMEOUT_S", 0.5)
    done = threading.Event()

    def say_nothing(_: socket.socket) -> None:
        done.wait(60)

    with answering(say_nothing) as port:
        with reading(port, CountingSink()) as reader:
            reason = wait_until(lambda: reader.connection.reason, 60, "the reason")
        done.set()
    assert reader.connection.state is not ReaderState.LIVE
    assert reason


@pytest.mark.parametrize("answer", [close_at_once, talk_nonsense])
def test_a_host_that_answers_without_a_stream_is_said_in_words(
    answer: Callable[[socket.socket], None],
) -> None:
    with answering(answer) as port, reading(port, CountingSink()) as reader:
        reason = wait_until(lambda: reader.connection.reason, 60, "the reason")
    assert reason == "its address answers, but not with a stream"


class Hurry:
    """Waits hardly at all between two tries, and counts them."""

    tries = 0

    def host_is_silent(self) -> None:
        """Of no matter."""

    def reset(self) -> None:
        """Of no matter."""

    def next_s(self) -> float:
        Hurry.tries += 1
        return 0.001


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def memory_kb() -> int:
    gc.collect()
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader_module, "Backoff", Hurry)
    Hurry.tries = 0


def measured_over_tries(port: int) -> tuple[int, int, int]:
    """How many files, threads and KiB are there more after 200 tries than after 50."""
    reader = CameraReader("x", rtsp(lambda: f"rtsp://127.0.0.1:{port}/x"), NoLiveCamera())
    reader.start()
    wait_until(lambda: Hurry.tries >= 50, 120, "the first tries")
    files, threads, memory = open_files(), threading.active_count(), memory_kb()
    wait_until(lambda: Hurry.tries >= 50 + ATTEMPTS, 240, "the tries")
    more = (open_files() - files, threading.active_count() - threads, memory_kb() - memory)
    reader.stop(10)
    return more


@pytest.mark.usefixtures("hurry")
@pytest.mark.parametrize("answer", [None, close_at_once, talk_nonsense, deny])
def test_a_camera_that_is_never_there_leaks_nothing(
    answer: Callable[[socket.socket], None] | None,
) -> None:
    if answer is None:
        files, threads, memory_kib = measured_over_tries(free_port())
    else:
        with answering(answer) as port:
            files, threads, memory_kib = measured_over_tries(port)
    assert files <= 2
    assert threads <= 0
    assert memory_kib < 4000
