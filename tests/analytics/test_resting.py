"""Resting on key frames: what is decoded, what is shown, and how it wakes."""

import json
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from camfleet.service.pipeline.idling import Idling
from camfleet.video.resting import Rest, RestingDecoder, Shown
from camfleet_contracts.cameras_file import BadCameras, parse_cameras
from camfleet_contracts.stages import Idle
from fakes_analytics import NoLiveCamera, camera

RATE, GROUP = 10, 10  # pictures a second, and from key frame to key frame
LENGTH = 60


def coded(path: Path, b_frames: int) -> Path:
    """A clip whose pictures get brighter by 3 levels each, so that each tells its number."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        stream.time_base = Fraction(1, RATE)
        stream.options = {"g": str(GROUP), "bf": str(b_frames), "sc_threshold": "0", "qp": "4"}
        for number in range(LENGTH):
            grey = np.full((64, 64), 30 + 3 * number, np.uint8)
            picture = av.VideoFrame.from_ndarray(grey, format="gray").reformat(format="yuv420p")
            picture.pts = number
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return path


class Watched:
    """A decoder that is given a clip packet by packet, and what it showed."""

    def __init__(self, container: av.container.InputContainer) -> None:
        stream = container.streams.video[0]
        stream.thread_type = "SLICE"
        self.rest, self.shown, self.refused = Rest(), list[Shown](), 0
        self._decoder = RestingDecoder(stream, self.rest, self._refuse)
        self._packets = (packet for packet in container.demux(stream) if packet.size)
        self._base = stream.time_base or Fraction(1)

    def _refuse(self) -> None:
        self.refused += 1

    def give(self, count: int, *, cut: bool = False) -> None:
        for _ in range(count):
            packet = next(self._packets)
            if cut:
                packet.update(b"\0" * packet.size)
            self.shown += self._decoder.take(packet)

    def skip_group(self) -> None:
        """Lose packets up to the next key frame but one."""
        for _ in range(GROUP):
            next(self._packets)

    def times(self) -> list[int]:
        """Picture numbers that the shown frames stand for."""
        return [round(one.pts * self._base * RATE) for one in self.shown]

    def looks(self) -> list[int]:
        """Picture numbers that the shown frames really show."""
        greys = [one.picture.reformat(format="gray").to_ndarray().mean() for one in self.shown]
        return [round((grey - 30) / 3) for grey in greys]


@pytest.fixture(params=[0, 2], ids=["no B-frames", "B-frames"])
def watched(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Watched]:
    with av.open(str(coded(tmp_path / "clip.mp4", request.param))) as container:
        yield Watched(container)


def test_awake_every_picture_is_shown(watched: Watched) -> None:
    watched.give(30)
    assert watched.times() == watched.looks() == list(range(len(watched.shown)))


def test_at_rest_key_frames_stand_for_what_follows_them(watched: Watched) -> None:
    watched.give(20)
    watched.rest.wake_within_s = 4
    watched.give(30)
    assert watched.rest.is_resting
    at_rest = [(a, b) for a, b in zip(watched.times(), watched.looks(), strict=True) if a >= 20]
    assert {shows for _, shows in at_rest} == {20, 30, 40}
    assert all(time // GROUP * GROUP == shows for time, shows in at_rest)
    assert watched.times() == sorted(set(watched.times()))


def test_it_wakes_in_the_middle_of_a_group_with_a_whole_picture(watched: Watched) -> None:
    watched.give(20)
    watched.rest.wake_within_s = 4
    watched.give(16)
    watched.rest.wake_within_s = None
    before = len(watched.shown)
    watched.give(14)
    assert not watched.rest.is_resting
    assert watched.times()[before:] == watched.looks()[before:]
    assert watched.times() == sorted(set(watched.times()))
    assert watched.times()[-1] >= 46


def test_it_wakes_at_a_key_frame(watched: Watched) -> None:
    watched.give(20)
    watched.rest.wake_within_s = 4
    watched.give(20)
    watched.rest.wake_within_s = None
    watched.give(20)
    assert watched.looks()[-10:] == watched.times()[-10:]


def test_before_two_key_frames_were_seen_there_is_no_rest(watched: Watched) -> None:
    watched.rest.wake_within_s = 4
    watched.give(10)
    assert not watched.rest.is_resting


def test_rare_key_frames_are_an_obstacle_that_is_said(watched: Watched) -> None:
    watched.rest.wake_within_s = 0.5
    watched.give(40)
    assert not watched.rest.is_resting
    assert "key frames come every 1.0 s and `idle` allows 0.5 s" in str(watched.rest.obstacle)
    assert watched.looks() == watched.times()


def test_key_frames_that_stop_coming_end_the_rest(watched: Watched) -> None:
    watched.give(20)
    watched.rest.wake_within_s = 4
    watched.give(10)
    watched.rest.wake_within_s = 0.55  # as if the next key frame were due at its half
    watched.rest.key_interval_s = 0.5
    watched.give(8)
    assert not watched.rest.is_resting


def test_picture_that_the_decoder_has_no_code_for_costs_itself_only(tmp_path: Path) -> None:
    path = tmp_path / "webcam.avi"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuvj420p"
        for _ in range(3):
            container.mux(stream.encode(av.VideoFrame(64, 64, "yuvj420p")))
    content = bytearray(path.read_bytes())
    frame_header = content.index(b"\xff\xc0", content.index(b"\xff\xd9"))  # of the second
    content[frame_header + 11] = 0x13  # a sampling of 1 by 3
    path.write_bytes(content)
    with av.open(str(path)) as container:
        watched = Watched(container)
        watched.give(3)
    assert (watched.refused, watched.times()) == (1, [0, 2])


def test_broken_packets_are_counted_and_cost_no_rest(watched: Watched) -> None:
    watched.give(20)
    watched.rest.wake_within_s = 4
    watched.give(3)
    watched.give(1, cut=True)
    watched.rest.wake_within_s = None
    watched.give(20)
    assert watched.refused == 1
    assert watched.times() == sorted(set(watched.times()))


def test_a_group_that_was_lost_on_the_way_is_no_obstacle(watched: Watched) -> None:
    watched.give(30)
    watched.skip_group()
    watched.rest.wake_within_s = 1.5
    watched.give(10)
    assert watched.rest.is_resting


def test_an_obstacle_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    rest = Rest()
    idling = Idling("door", rest, NoLiveCamera())
    idling.use(Idle())
    for interval_s in (8.0, 9.0, 10.0):
        rest.key_interval_s = interval_s
        idling.decide(1000)
    assert caplog.text.count("camera cannot rest") == 1


class LookedAt(NoLiveCamera):
    wants_pictures = True


def test_rest_begins_when_nothing_moved_for_long_enough() -> None:
    rest = Rest()
    idling = Idling("door", rest, NoLiveCamera())
    idling.use(Idle(after_s=30, wake_within_s=3))
    idling.decide(29.9)
    assert rest.wake_within_s is None
    idling.decide(30)
    assert rest.wake_within_s == 3
    idling.decide(0)
    assert rest.wake_within_s is None


def test_who_looks_at_drawn_pictures_keeps_the_camera_awake() -> None:
    rest = Rest()
    idling = Idling("door", rest, LookedAt())
    idling.use(Idle())
    idling.decide(1000)
    assert rest.wake_within_s is None


def test_settings_without_idle_wake_the_camera() -> None:
    rest = Rest()
    idling = Idling("door", rest, NoLiveCamera())
    idling.use(Idle())
    idling.decide(1000)
    idling.use(None)
    idling.decide(1000)
    assert rest.wake_within_s is None


def test_idle_without_the_motion_gate_is_refused() -> None:
    text = "cameras:\n  - {name: door, source: x.mp4, pipeline: {idle: {after_s: 5}}}\n"
    with pytest.raises(BadCameras, match="set motion: true"):
        parse_cameras(text, path=Path("cameras.yaml"))


def test_idle_is_off_unless_it_is_asked_for() -> None:
    assert camera().pipeline.idle is None
    wanted = camera("{model: cars, motion: true, idle: {after_s: 5}}").pipeline
    assert wanted.idle == Idle(after_s=5)
    assert json.loads(wanted.model_dump_json())["idle"] == {"after_s": 5.0, "wake_within_s": 4.0}
