"""Counts of real films with one set of defaults, which was chosen on none of them.

What yolox-nano-coco finds in the clips is recorded beside them (`expected/clip-*.json`), and what
demo-street finds in five minutes of the demo street in `recorded/`; fastestdet-coco is asked here.
"""

import json
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import av
import numpy as np
import pytest

from camfleet.detections import Detections
from camfleet.service.analysis import Findings
from camfleet_contracts.cameras import Line, Pipeline, Tracker, Zone
from direct_inference import load_direct
from offline_counting import Film, analysed, without
from street_recordings import RECORDED, SIZE, read_runs

pytestmark = pytest.mark.long

HIGHWAY = Line.model_validate({"name": "gate", "from": [0, 150 / 240], "to": [1, 150 / 240]})
STREET = Line.model_validate({"name": "gate", "from": [0, 0.68], "to": [1, 0.68]})
EVERYWHERE = [[0, 0], [1, 0], [1, 1], [0, 1]]


def recorded(shared_data: Path, clip: str, fps: float) -> list[tuple[float, Detections]]:
    file = shared_data / "expected" / f"clip-{clip}.json"
    frames = json.loads(file.read_text())["per_frame"]
    return [(number / fps, detections_of(found)) for number, found in frames]


def detections_of(found: list[list[float | str]]) -> Detections:
    labels = tuple(str(one[0]) for one in found)
    numbers = np.array([one[1:] for one in found], np.float32).reshape(-1, 5)
    class_id = np.array([sum(label.encode()) for label in labels], np.int64)
    return Detections(numbers[:, 1:], numbers[:, 0], class_id, labels)


def zone_of(label: str) -> Zone:
    return Zone.model_validate({"name": "all", "polygon": EVERYWHERE, "labels": [label]})


@pytest.fixture(scope="module")
def fastestdet(shared_data: Path) -> list[tuple[float, Detections]]:
    """What fastestdet-coco finds in every frame of the highway, 30 a second."""
    model = load_direct(shared_data, "fastestdet-coco")
    clip = shared_data / "media" / "clips" / "highway-a-320x240.mp4"
    return [(time_s, model.detect(picture, 0.3)) for time_s, picture in pictures_of(clip)]


def pictures_of(clip: Path) -> Iterator[tuple[float, av.VideoFrame]]:
    with av.open(str(clip)) as container:
        for picture in container.decode(video=0):
            assert picture.time is not None
            yield picture.time, picture


@pytest.mark.parametrize(
    ("kind", "fps", "tolerance"),
    [
        ("bytetrack", 30, 3),
        ("bytetrack", 10, 2),
        ("bytetrack", 5, 4),
        ("sort", 10, 4),
        ("ocsort", 10, 4),
        ("botsort", 10, 4),
    ],
)
def test_highway_with_a_small_model_counts_27_down_and_none_up(
    fastestdet: list[tuple[float, Detections]], kind: str, fps: int, tolerance: int
) -> None:
    wanted = Pipeline(lines=(HIGHWAY,), tracker=Tracker.model_validate({"kind": kind}))
    analysis, _ = analysed(wanted, fastestdet[:: 30 // fps], (320, 240))
    count = analysis.counts["gate"]
    assert abs(count.entered - 27) + count.left <= tolerance


@pytest.mark.parametrize("fps", [30, 10, 5])
def test_highway_with_a_better_model_counts_27_down_and_none_up(
    shared_data: Path, fps: int
) -> None:
    film = recorded(shared_data, "highway-a-320x240", 30)
    analysis, _ = analysed(Pipeline(lines=(HIGHWAY,)), film[:: 30 // fps], (320, 240))
    count = analysis.counts["gate"]
    assert abs(count.entered - 27) + count.left <= 1
    assert count.error <= 3


def test_six_people_come_one_by_one(shared_data: Path) -> None:
    film = recorded(shared_data, "one-by-one-768x432", 10)
    _, findings = analysed(Pipeline(zones=(zone_of("person"),)), film, (768, 432))
    told = [event.happening for one in findings for event in one.zone_events]
    assert told == ["entered", "left"] * 6


def test_bottles_are_taken_and_put_back(shared_data: Path) -> None:
    film = recorded(shared_data, "bottles-640x360", 29.83)
    _, findings = analysed(Pipeline(zones=(zone_of("bottle"),)), film, (640, 360))
    assert list(occupancy_after_each_frame(findings)) == [3, 2, 3, 1, 2, 3, 2, 3]


def occupancy_after_each_frame(findings: list[Findings]) -> Iterator[int]:
    """How many are inside, each time it changes."""
    told = (one.zone_events[-1].occupancy for one in findings if one.zone_events)
    return (occupancy for occupancy, _ in groupby(told))


@pytest.mark.parametrize("lost", [0.0, 0.1], ids=["every frame", "one of ten lost"])
def test_five_minutes_of_the_demo_street_are_counted_within_two_percent(lost: float) -> None:
    [run] = read_runs(RECORDED / "street-7.xz")
    chance = np.random.default_rng(1)
    film: Film = without(run.detections(), lambda _: bool(chance.random() < lost))
    analysis, _ = analysed(Pipeline(lines=(STREET,)), film, SIZE)
    count, true = analysis.counts["gate"], run.truth
    assert count.entered + count.left == pytest.approx(sum(true.values()), rel=0.02)
    assert count.entered == pytest.approx(true["in"], rel=0.03)
    assert count.left == pytest.approx(true["out"], rel=0.03)
