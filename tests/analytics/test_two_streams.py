"""People watch one stream of a camera while analytics reads another: real capture, real readers."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Self

import pytest

from camfleet.service.live import LiveHub
from camfleet.service.live.muxer import Fragment
from camfleet.service.live.viewer import Message, Refusal, Viewer
from camfleet.service.reading import Readers
from camfleet.service.sources import source_of
from camfleet_contracts.cameras import Camera
from camfleet_contracts.keys import KeyStore
from camfleet_contracts.settings import read_settings
from fakes_capture import write_clip, write_webcam_clip
from fakes_live import ClipPlan, make_clip
from processes import running
from waiting import wait_until

pytestmark = pytest.mark.long

LARGE, SMALL = (320, 180), (160, 90)
PLAN = ClipPlan(frames=60, fps=15, gop=15, container="mp4")


@contextmanager
def capturing(folder: Path) -> Iterator[int]:
    """A capture service with a large and a small stream; yields its RTSP port."""
    for name, size in (("door", LARGE), ("small", SMALL)):
        (folder / f"{name}.mp4").write_bytes(make_clip(replace(PLAN, size=size)))
    write_clip(folder / "newer.mp4", pictures=60, fps=15, codec="libx265")
    file = folder / "cameras.yaml"
    write_clip(folder / "sampled.mp4", pictures=60, fps=15, pix_fmt="yuv422p")
    write_webcam_clip(folder / "webcam.avi")
    names = ("door", "small", "newer", "sampled")
    file.write_text(
        "".join(["cameras:\n"] + [f"  - {{name: {n}, source: {folder}/{n}.mp4}}\n" for n in names])
        + f"  - {{name: webcam, source: {folder}/webcam.avi}}\n"
    )
    ports = ["--rtsp-port", "0", "--http-port", "0"]
    state = {"CAMFLEET_STATE": str(folder / "state")}
    with running("camfleet-capture", "--cameras", str(file), *ports, env=state) as service:
        yield int(service.logged(r"rtsp=[\d.]+:(\d+)")[1])


class Watching:
    """A camera with two streams, and an event loop for its viewers."""

    def __init__(
        self, folder: Path, port: int, detect: str | None, name: str, transcode: str = "auto"
    ) -> None:
        self.name, self.live = name, LiveHub().camera(name)
        address = f"rtsp://127.0.0.1:{port}"
        entry = {"name": name, "source": "clip.mp4", "transcode": transcode}
        if detect:
            entry["detect_source"] = f"{address}/{detect}"
        wanted = Camera.model_validate(entry)
        settings = read_settings(state_dir=folder, capture=address)
        source = source_of(wanted, self.live, settings, KeyStore(folder / "keys.json"), Readers())
        self.source, self._loop = source, asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="viewers")

    def __enter__(self) -> Self:
        self._thread.start()
        self.source.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.source.stop()
        wait_until(lambda: not is_reading(f"{self.name}-watched"), 60, "the end of its reader")
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(60)
        self._loop.close()

    def watch(self) -> Viewer:
        return asyncio.run_coroutine_threadsafe(self._watch(), self._loop).result(60)

    def next(self, viewer: Viewer) -> Message | None:
        return asyncio.run_coroutine_threadsafe(viewer.take(), self._loop).result(60)

    def newest(self, viewer: Viewer) -> Message | None:
        """The last one that waits to be taken, else the next one."""
        message = self.next(viewer)
        while viewer._waiting:
            message = self.next(viewer)
        return message

    async def _watch(self) -> Viewer:
        return self.live.watch(asyncio.get_running_loop())


MakeWatching = Callable[..., Watching]


@pytest.fixture(scope="module")
def watching(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[MakeWatching]:
    folder = tmp_path_factory.mktemp("two-streams")
    with capturing(folder) as port:
        yield partial(Watching, folder, port)


def is_reading(name: str) -> bool:
    return any(thread.name == f"reader-{name}" for thread in threading.enumerate())


def test_analytics_sees_the_small_stream_and_people_the_large_one_while_they_look(
    watching: MakeWatching,
) -> None:
    with watching("small", "door") as camera:
        frame = wait_until(lambda: camera.source.slot.take(0.1), 60, "a frame")
        assert frame.size == SMALL
        assert not is_reading("door-watched")
        for _ in range(2):
            viewer = camera.watch()
            fragment = camera.next(viewer)
            assert isinstance(fragment, Fragment)
            assert (fragment.header.width, fragment.header.height) == LARGE
            camera.live.unwatch(viewer)
            wait_until(lambda: not is_reading("door-watched"), 60, "nothing is read for nobody")


def test_results_are_told_in_the_time_of_the_picture_that_is_watched(
    watching: MakeWatching,
) -> None:
    """Both streams are one here, so the same frame has a time in each connection."""
    with watching("door", "door") as camera:
        wait_until(lambda: camera.source.counts.decoded > 45, 60, "three seconds of one connection")
        assert camera.source.live_shift_s == 0
        viewer = camera.watch()
        shift_s = wait_until(lambda: camera.source.live_shift_s, 60, "both clocks")
        newest = camera.newest(viewer)
        frame = wait_until(lambda: camera.source.slot.take(0.1), 60, "a frame")
        assert isinstance(newest, Fragment)
        assert frame.pts_s > newest.start_s + 2
        assert shift_s < -2
        assert frame.pts_s + shift_s == pytest.approx(newest.start_s, abs=2)


def test_a_stream_that_cannot_be_watched_is_said_and_analysed_all_the_same(
    watching: MakeWatching,
) -> None:
    with watching("small", "attic") as camera:
        viewer = camera.watch()
        refusal = camera.next(viewer)
        assert isinstance(refusal, Refusal)
        assert "the stream to watch cannot be read: " in refusal.reason
        assert "(404)" in refusal.reason
        assert wait_until(lambda: camera.source.slot.take(0.1), 60, "a frame").size == SMALL


def test_a_large_stream_in_h265_is_watched_as_h264(
    watching: MakeWatching,
) -> None:
    with watching("small", "newer") as camera:
        viewer = camera.watch()
        assert picture_of(camera, viewer).header.codec.startswith("avc1.")


@pytest.mark.parametrize(
    ("name", "sends"), [("newer", "sends HEVC"), ("sampled", "sends H.264 as yuv422p")]
)
def test_one_stream_that_browsers_do_not_play_is_made_for_them_while_they_look(
    watching: MakeWatching, name: str, sends: str
) -> None:
    with watching(None, name) as camera:
        wait_until(lambda: camera.source.slot.take(0.1), 60, "a frame")
        assert not is_reading(f"{name}-watched")
        for _ in range(2):
            viewer = camera.watch()
            fragment = picture_of(camera, viewer)
            assert fragment.header.codec.startswith("avc1.")
            assert sends in str(camera.live.note)
            assert wait_until(lambda: camera.source.live_shift_s, 60, "both clocks")
            camera.live.unwatch(viewer)
            wait_until(lambda: not is_reading(f"{name}-watched"), 60, "nothing is made for nobody")


def test_one_stream_that_browsers_play_is_watched_as_it_is(watching: MakeWatching) -> None:
    with watching(None, "door") as camera:
        fragment = picture_of(camera, camera.watch())
        assert (fragment.header.width, fragment.header.height) == LARGE
        assert camera.live.note is None
        assert not is_reading("door-watched")


@pytest.mark.parametrize(
    ("name", "transcode", "sends"),
    [
        pytest.param("newer", "never", "sends HEVC", id="transcode: never"),
        pytest.param("webcam", "auto", "sends MJPEG", id="Motion JPEG"),
    ],
)
def test_what_is_not_made_for_browsers_is_refused_with_the_reason(
    watching: MakeWatching, name: str, transcode: str, sends: str
) -> None:
    with watching(None, name, transcode) as camera:
        wait_until(lambda: camera.source.slot.take(0.1), 60, "a frame")
        refusal = camera.next(camera.watch())
        assert isinstance(refusal, Refusal)
        assert sends in refusal.reason


def picture_of(camera: Watching, viewer: Viewer) -> Fragment:
    return wait_until(lambda: fragment_of(camera.next(viewer)), 60, "a live picture")


def fragment_of(message: Message | None) -> Fragment | None:
    """What is said while capture starts to encode is not what is waited for."""
    return message if isinstance(message, Fragment) else None
