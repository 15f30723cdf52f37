"""A whole camera at rest: capture, reader and pipeline, on a film that is still and then is not."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import numpy as np

from camfleet.service.pipeline import Pipeline, Surroundings
from camfleet.service.reading import Readers, Subscription
from camfleet.video.frames import Frame
from camfleet.video.packets import Packet
from fakes_analytics import CollectingPublisher, NoLiveCamera, ScriptedDetector, camera
from processes import running
from waiting import wait_until

RATE, STILL, MOVING = 10, 50, 20  # pictures a second, and pictures of each part
SETTINGS = "{fps: 10, model: cars, motion: true, idle: {after_s: 1, wake_within_s: 2}}"


class CountingLive(NoLiveCamera):
    """Live video that counts what it is given to copy."""

    def __init__(self) -> None:
        self.packets = 0

    def push_packet(self, packet: Packet) -> None:
        self.packets += 1


def write_film(path: Path) -> Path:
    """A room in which an object wanders about at the end; a key frame a second."""
    room = (
        np.random.default_rng(5).integers(60, 190, (18, 32), np.uint8).repeat(20, 0).repeat(20, 1)
    )
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        stream.options = {"g": str(RATE), "bf": "0", "sc_threshold": "0"}
        for number in range(STILL + MOVING):
            grey = room.copy()
            if number >= STILL:
                x = 40 + 25 * (number - STILL)
                grey[150:250, x : x + 60] = 10
            picture = av.VideoFrame.from_ndarray(grey, format="gray").reformat(format="yuv420p")
            picture.pts = number
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return path


@contextmanager
def filming(folder: Path, readers: Readers) -> Iterator[tuple[Pipeline, CountingLive, str]]:
    file = folder / "cameras.yaml"
    file.write_text(f"cameras:\n  - {{name: door, source: {write_film(folder / 'film.mp4')}}}\n")
    arguments = ["--cameras", str(file), "--rtsp-port", "0", "--http-port", "0"]
    state, live = {"CAMFLEET_STATE": str(folder / "state")}, CountingLive()
    with running("camfleet-capture", *arguments, env=state) as capture:
        port = capture.logged(r"rtsp=[\d.]+:(\d+)")[1]
        address = f"rtsp://127.0.0.1:{port}/door"
        read = Subscription(readers, "door", lambda: address, live)
        around = Surroundings(ScriptedDetector(), CollectingPublisher(), "box")
        pipeline = Pipeline(camera(SETTINGS), read, live, around, {})
        pipeline.start()
        try:
            yield pipeline, live, address
        finally:
            pipeline.stop(10)


def test_a_still_camera_rests_and_wakes_with_what_moves_and_viewers_miss_nothing(
    tmp_path: Path,
) -> None:
    with filming(tmp_path, Readers()) as (pipeline, live, _):
        source, rest = pipeline.source, pipeline.source.rest
        wait_until(lambda: rest.is_resting, 60, "the rest")
        wait_until(lambda: source.counts.rested >= 20, 60, "pictures that were not decoded")
        analysed = pipeline.statistics.analysed
        wait_until(lambda: not rest.is_resting, 60, "the waking")
        decoded = source.counts.decoded
        wait_until(lambda: source.counts.decoded > decoded + 10, 60, "every picture again")
        assert pipeline.statistics.analysed > analysed
        counts = source.counts
        read = counts.decoded + counts.rested
        assert live.packets >= read - 1
        assert (counts.undecodable, counts.connections) == (0, 1)


def test_who_wants_every_picture_gets_it_though_another_one_of_the_camera_would_rest(
    tmp_path: Path,
) -> None:
    readers = Readers()
    with filming(tmp_path, readers) as (pipeline, _, address):
        rest, numbers = pipeline.source.rest, list[int]()

        def note(frame: Frame) -> bool:
            numbers.append(frame.number)
            return True

        wait_until(lambda: rest.is_resting, 60, "the rest")
        second = Subscription(readers, "yard", lambda: address, NoLiveCamera())
        second.slot.wants = note
        second.start()
        wait_until(lambda: len(numbers) > 2 * RATE, 60, "every picture")
        assert not rest.is_resting
        assert second.counts.rested <= 1  # the packet with which it came
        so_far = [*numbers]
        assert so_far == list(range(so_far[0], so_far[0] + len(so_far)))
        second.stop()
        wait_until(lambda: rest.is_resting, 60, "the rest, once it may be had again")
