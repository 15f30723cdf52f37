"""Capture dies like at a loss of power while others read, and comes back on the same ports."""

import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import av
import cv2
import httpx
import pytest

from camfleet.video.connection import ReaderState
from camfleet.video.reader import CameraReader, rtsp
from fakes_capture import FPS, camera_lines, number_of, read_numbers, reading_options
from fakes_rtsp import Client
from processes import Service, running
from waiting import wait_until

ENOUGH = FPS  # pictures that show that a reader reads
Read = Callable[[str, Callable[[], None]], None]  # address, told of each picture


class NoSink:
    """Nobody looks at the coded stream."""

    def push_stream(self, stream: av.VideoStream) -> None:
        """Ignore it."""

    def push_packet(self, packet: object) -> None:
        """Ignore it."""

    def push_end(self) -> None:
        """Ignore it."""


class Capture:
    """A capture process that can be killed and started again on its ports."""

    def __init__(self, folder: Path, clip: Path, stack: ExitStack) -> None:
        self._folder, self._stack, self._ports = folder, stack, ("0", "0")
        recording = "    recording: {segment_s: 1}\n"
        (folder / "cameras.yaml").write_text(camera_lines(door=str(clip)) + recording)
        self.service = self.start()

    @property
    def url(self) -> str:
        return f"rtsp://127.0.0.1:{self._ports[0]}/door"

    @property
    def rtsp_port(self) -> int:
        return int(self._ports[0])

    def start(self) -> Service:
        rtsp_port, http_port = self._ports
        command = ["--cameras", str(self._folder / "cameras.yaml")]
        command += ["--rtsp-port", rtsp_port, "--http-port", http_port]
        folders = {"CAMFLEET_STATE": "state", "CAMFLEET_RECORDINGS": "recordings"}
        env = {name: str(self._folder / folder) for name, folder in folders.items()}
        self.service = self._stack.enter_context(running("camfleet-capture", *command, env=env))
        found = self.service.logged(r"listening rtsp=127.0.0.1:(\d+) http=127.0.0.1:(\d+)")
        self._ports = found[1], found[2]
        return self.service

    def kill(self) -> None:
        self.service.process.kill()
        self.service.process.wait(60)

    def get(self, path: str, **query: str) -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{self._ports[1]}{path}", params=query, timeout=60)


@pytest.fixture
def capture(tmp_path: Path, clip: Path) -> Iterator[Capture]:
    with ExitStack() as stack:
        yield Capture(tmp_path, clip, stack)


def read_with_pyav(transport: str) -> Read:
    def read(url: str, shown: Callable[[], None]) -> None:
        options = reading_options(transport)
        with av.open(url, options=options, timeout=(60, 60)) as container:
            for packet in container.demux(video=0):
                with suppress(av.error.InvalidDataError):  # over UDP a kill may cut a picture
                    for _ in packet.decode():
                        shown()

    return read


def read_with_opencv(url: str, shown: Callable[[], None]) -> None:
    video = cv2.VideoCapture(url, cv2.CAP_FFMPEG)
    while video.read()[0]:
        shown()
    video.release()


@contextmanager
def reading(read: Read, url: str) -> Iterator[tuple[threading.Thread, list[str]]]:
    """Yield the thread that reads, once it does, and what it says when it fails."""
    count, faults = [0], []

    def shown() -> None:
        count[0] += 1

    def run() -> None:
        try:
            read(url, shown)
        except (av.error.FFmpegError, OSError) as error:
            faults.append(repr(error))

    thread = threading.Thread(target=run, name="reader", daemon=True)
    thread.start()
    wait_until(lambda: count[0] >= ENOUGH, 60, f"it reads {faults}")
    yield thread, faults
    thread.join(1)
    assert not thread.is_alive()


@pytest.mark.parametrize(
    "read",
    [
        pytest.param(read_with_pyav("tcp"), id="PyAV over TCP"),
        pytest.param(read_with_pyav("udp"), id="PyAV over UDP"),
        pytest.param(read_with_opencv, id="OpenCV"),
    ],
)
def test_reader_sees_the_end_and_a_new_one_is_served_at_once(capture: Capture, read: Read) -> None:
    with reading(read, capture.url) as (thread, faults):
        capture.kill()
        capture.start()
        assert len(read_numbers(capture.url, ENOUGH).numbers) == ENOUGH
        thread.join(60)
        assert not thread.is_alive()
    assert faults == []


def test_our_reader_comes_back_by_itself(capture: Capture) -> None:
    reader = CameraReader("door", rtsp(lambda: capture.url), NoSink())
    reader.start()
    try:
        wait_until(lambda: reader.slot.take(0.1), 60, "a frame")
        capture.kill()
        wait_until(lambda: reader.connection.state is not ReaderState.LIVE, 60, "the loss")
        capture.start()
        wait_until(lambda: reader.connection.state is ReaderState.LIVE, 60, "the return")
        frame = wait_until(lambda: reader.slot.take(0.1), 60, "a frame")
    finally:
        reader.stop(10)
    assert frame.connection == 2


def test_session_of_before_is_unknown_after_the_return(capture: Capture) -> None:
    with Client(capture.rtsp_port) as before:
        before.play(capture.url)
        capture.kill()
        capture.start()
        with Client(capture.rtsp_port) as after:
            assert after.ask("PLAY", capture.url, Session=before.session)[0] == 454
            after.play(capture.url)
            assert after.frame()[1]


def test_recording_of_before_is_served_after_the_return(capture: Capture, tmp_path: Path) -> None:
    def recorded_s() -> float:
        recording = capture.get("/cameras/door").json().get("recording") or {}
        if not recording.get("from"):
            return 0
        begun, ends = (datetime.fromisoformat(recording[edge]) for edge in ("from", "to"))
        return (ends - begun).total_seconds()

    wait_until(lambda: recorded_s() > 4, 60, "some seconds are recorded")
    begun = capture.get("/cameras/door").json()["recording"]["from"]
    capture.kill()
    killed = datetime.now(UTC).isoformat()
    capture.start()
    wait_until(lambda: recorded_s() > 4, 60, "what was recorded is found again")
    clip = capture.get("/cameras/door/clip", **{"from": begun, "to": killed})
    (tmp_path / "before.mp4").write_bytes(clip.content)
    with av.open(str(tmp_path / "before.mp4")) as container:
        numbers = [number_of(frame) for frame in container.decode(video=0)]
    assert clip.status_code == 200
    assert len(numbers) > 3 * FPS
    assert all(after == (before + 1) % FPS for before, after in pairwise(numbers))


def command_of(name: str, url: str) -> list[str]:
    program = shutil.which(name)
    if program is None:
        pytest.skip(f"{name} not found: make test-rtsp-peers installs it")
    if name == "ffmpeg":
        return [program, "-nostdin", "-loglevel", "info", "-rtsp_transport", "tcp", "-i", url,
                "-f", "null", "-"]  # fmt: skip
    source = ["rtspsrc", f"location={url}", "protocols=tcp", "!", "fakesink", "silent=false"]
    return [program, "-v", *source]


@pytest.mark.peers
@pytest.mark.parametrize(
    ("name", "reads"), [("ffmpeg", "frame="), ("gst-launch-1.0", "last-message = chain")]
)
def test_program_of_others_ends_and_reads_again(capture: Capture, name: str, reads: str) -> None:
    command = command_of(name, capture.url)
    for _ in range(2):
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0
        ) as process:
            output = process.stdout
            assert output is not None
            said = b""
            while reads.encode() not in said:
                said += output.read(200)
                assert process.poll() is None, said
            capture.kill()
            capture.start()
            output.read()
            assert process.wait(60) in {0, 1}
