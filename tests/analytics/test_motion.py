"""The motion gate: what counts as movement, and that counts are the same with it."""

import json
from itertools import islice, pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from camfleet.video.motion import LONGEST_REST_S, MotionGate

SCENE = np.random.default_rng(5).integers(60, 190, (36, 64), np.uint8).repeat(20, 0).repeat(20, 1)


def picture(box: tuple[int, int] | None = None, light: int = 0, noise: float = 0) -> av.VideoFrame:
    """A scene of 1280x720, with a dark object of 40x90 pixels at `box`."""
    grey = SCENE.astype(np.float32) + light
    grey += np.random.default_rng(int(noise)).normal(0, noise, grey.shape)
    if box:
        x, y = box
        grey[y : y + 90, x : x + 40] = 20
    return av.VideoFrame.from_ndarray(np.clip(grey, 0, 255).astype(np.uint8), format="gray")


@pytest.fixture
def gate() -> MotionGate:
    gate = MotionGate()
    assert not gate.is_still(picture(), 0.0)
    return gate


def test_the_same_picture_is_still(gate: MotionGate) -> None:
    assert gate.is_still(picture(), 0.2)


def test_noise_of_the_sensor_is_no_movement(gate: MotionGate) -> None:
    assert gate.is_still(picture(noise=12), 0.2)


def test_a_cloud_before_the_sun_is_no_movement(gate: MotionGate) -> None:
    assert gate.is_still(picture(light=-25), 0.2)


def test_an_object_that_comes_is_movement(gate: MotionGate) -> None:
    assert not gate.is_still(picture((600, 300)), 0.2)


def test_a_slow_object_is_seen_in_the_end(gate: MotionGate) -> None:
    gate.is_still(picture((600, 300)), 0.2)
    creeping = [picture((600 + step, 300)) for step in range(1, 20)]
    still = [gate.is_still(one, 0.3 + number / 10) for number, one in enumerate(creeping)]
    assert not all(still)


def test_the_model_looks_again_after_a_while(gate: MotionGate) -> None:
    assert gate.is_still(picture(), LONGEST_REST_S - 0.1)
    assert not gate.is_still(picture(), LONGEST_REST_S)


def test_looking_again_is_no_movement(gate: MotionGate) -> None:
    gate.is_still(picture(), LONGEST_REST_S)
    gate.forget()
    assert not gate.is_still(picture(), LONGEST_REST_S + 1)
    assert gate.still_for_s(LONGEST_REST_S + 1) == LONGEST_REST_S + 1


def test_movement_ends_the_time_of_stillness(gate: MotionGate) -> None:
    gate.is_still(picture((600, 300)), 5.0)
    gate.is_still(picture((600, 300)), 7.0)
    assert gate.still_for_s(7.0) == 2.0


def test_a_new_stream_is_looked_at(gate: MotionGate) -> None:
    gate.is_still(picture(), 5.0)
    assert not gate.is_still(picture(), -1.0)


def test_a_real_visitor_is_movement_and_the_empty_room_mostly_is_not(shared_data: Path) -> None:
    expected = shared_data / "expected" / "clip-one-by-one-768x432.json"
    visits = [(a / 10, b / 10) for a, b in json.loads(expected.read_text())["visits"]]
    looked = times_looked_at(shared_data / "media" / "clips" / "one-by-one-768x432.mp4")
    assert [visit for visit in visits if not share_within(looked, [visit]) > 0.9] == []
    gaps = [(before[1] + 1.5, after[0] - 1.5) for before, after in pairwise(visits)]
    assert share_within(looked, [gap for gap in gaps if gap[1] > gap[0]]) < 0.5


def times_looked_at(clip: Path) -> dict[float, bool]:
    """Whether the model would have looked, twice a second of a clip of ten pictures a second."""
    gate = MotionGate()
    with av.open(str(clip)) as container:
        chosen = islice(container.decode(video=0), 0, None, 5)
        return {number / 2: not gate.is_still(one, number / 2) for number, one in enumerate(chosen)}


def share_within(looked: dict[float, bool], spans: list[tuple[float, float]]) -> float:
    """The share of the moments within some spans at which the model would have looked."""
    within = [seen for at, seen in looked.items() if any(a <= at <= b for a, b in spans)]
    return sum(within) / len(within)
