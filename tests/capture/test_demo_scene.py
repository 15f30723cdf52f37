"""The demo street is a pure function of seed and time, and its truth is true."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest

from camfleet_capture.demo import FRAMES_PER_SECOND, StreetScene, sprites
from camfleet_capture.sources.demo_scene import DemoScene

MINUTE_S = 60.0


@pytest.fixture(scope="module")
def street() -> StreetScene:
    return StreetScene(seed=7)


def _bottom_centres(street: StreetScene, time_s: float) -> dict[int, float]:
    return {item.id: item.box[3] for item in street.objects(time_s)}


def _counted_from_boxes(street: StreetScene, until_s: float, gate_y: float) -> dict[str, int]:
    """Crossings of the lower edges of the boxes, sampled at half the rate of the film."""
    counts = {"in": 0, "out": 0}
    before = _bottom_centres(street, 0.0)
    for index in range(1, int(until_s * FRAMES_PER_SECOND / 2) + 1):
        now = _bottom_centres(street, 2 * index / FRAMES_PER_SECOND)
        for mover in now.keys() & before.keys():
            counts["in"] += before[mover] <= gate_y < now[mover]
            counts["out"] += now[mover] <= gate_y < before[mover]
        before |= now  # who is hidden for a moment is still on the way
    return counts


def test_frame_is_a_picture_of_the_promised_shape(street: StreetScene) -> None:
    frame = street.frame(3.2)

    assert frame.shape == (360, 640, 3)
    assert frame.dtype == np.uint8


def test_same_seed_and_time_give_the_same_bytes_in_any_order(street: StreetScene) -> None:
    early = street.frame(3.2)
    street.frame(200.0)
    other = StreetScene(seed=7)
    other.frame(31.0)

    assert np.array_equal(street.frame(3.2), early)
    assert np.array_equal(other.frame(3.2), early)


def test_truth_draws_no_picture_twice(street: StreetScene, monkeypatch: pytest.MonkeyPatch) -> None:
    told = street.truth(40.0)
    monkeypatch.setattr(sprites, "sprite_of", _no_drawing)

    assert street.truth(40.0) == told


def _no_drawing(view: object) -> None:
    raise AssertionError(f"{view} is drawn again")


def test_other_seeds_and_other_times_give_other_pictures(street: StreetScene) -> None:
    assert not np.array_equal(street.frame(3.2), StreetScene(seed=8).frame(3.2))
    assert not np.array_equal(street.frame(3.2), street.frame(3.4))


@pytest.mark.parametrize("time_s", [0.0, 17.3, 95.0, 3601.7])
def test_true_boxes_lie_inside_the_picture(street: StreetScene, time_s: float) -> None:
    boxes = np.array([item.box for item in street.objects(time_s)])

    assert len(boxes) > 0
    assert boxes.min() >= 0
    assert boxes.max() <= 1
    assert (boxes[:, 2:] > boxes[:, :2]).all()


def test_all_three_kinds_are_in_the_street(street: StreetScene) -> None:
    seen = {item.label for time_s in range(0, 48, 4) for item in street.objects(float(time_s))}

    assert seen == {"person", "car", "bicycle"}


def test_every_minute_has_at_least_forty_crossings(street: StreetScene) -> None:
    minutes = [len(street.crossings(MINUTE_S * index)) for index in range(11)]

    assert minutes[1] >= 40
    assert min(np.diff(minutes)) >= 40


def test_truth_counts_equal_the_crossings_of_the_boxes(street: StreetScene) -> None:
    gate_y = street.lines["gate"]["from"][1]

    assert _counted_from_boxes(street, 20.0, gate_y) == street.counts(20.0)["gate"]


def test_every_mover_crosses_the_gate_at_most_once(street: StreetScene) -> None:
    movers = [crossing.id for crossing in street.crossings(10 * MINUTE_S)]

    assert len(movers) == len(set(movers))


def test_counts_after_hours_equal_the_list_of_crossings(street: StreetScene) -> None:
    listed = [crossing.direction for crossing in street.crossings(2 * 3600.0)]

    assert street.counts(2 * 3600.0)["gate"] == {
        "in": listed.count("in"),
        "out": listed.count("out"),
    }


def test_latest_crossings_are_the_end_of_the_list(street: StreetScene) -> None:
    assert street.crossings(3600.0, most=50) == street.crossings(3600.0)[-50:]


def test_nobody_stops_on_the_gate(street: StreetScene) -> None:
    gate_y = street.lines["gate"]["from"][1]
    standing = []
    for step in range(60):
        before, now = (_bottom_centres(street, step / 2 + late) for late in (0.0, 0.2))
        standing += [now[i] for i in now.keys() & before.keys() if abs(now[i] - before[i]) < 1e-6]

    assert standing
    assert min(abs(bottom - gate_y) for bottom in standing) > 0.02


def test_truth_is_what_the_camera_serves_as_json(street: StreetScene) -> None:
    truth = json.loads(json.dumps(street.truth(61.0)))

    assert truth["scene"] == "demo:street"
    assert truth["seed"] == 7
    assert set(truth["crossings"][0]) == {"id", "label", "line", "direction", "time_s"}
    assert set(truth["objects"][0]) == {"id", "label", "box"}
    assert truth["counts"]["gate"] == street.counts(61.0)["gate"]


def test_a_scene_keeps_its_start_when_the_wall_clock_is_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scene = DemoScene("demo:street")
    before = scene.truth()
    now_s = time.time() + 3600
    monkeypatch.setattr(time, "time", lambda: now_s)
    after = scene.truth()

    assert before is not None
    assert after is not None
    assert after["started_at"] == before["started_at"]
