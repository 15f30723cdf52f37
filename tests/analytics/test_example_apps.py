"""The applications of docs/examples, run on clips whose content is known."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from camfleet.testing import FakeModel, FakeServer, Walk, painted_detector, run_app, write_clip

NAMES = ("people-counter", "posture-check", "zone-occupancy")


@pytest.fixture
def examples(repository: Path) -> Path:
    return repository / "docs" / "examples"


@pytest.mark.parametrize("name", NAMES)
def test_example_is_short_and_every_one_is_listed(examples: Path, name: str) -> None:
    assert len((examples / name / "app.py").read_text().splitlines()) < 60
    assert {path.name for path in examples.iterdir()} == set(NAMES)


def test_people_who_cross_the_line_are_counted_by_direction(examples: Path, tmp_path: Path) -> None:
    down = Walk((0.1, 0.0, 0.2, 0.3), (0.1, 0.6, 0.2, 0.9))
    up = Walk((0.5, 0.5, 0.6, 0.9), (0.5, 0.05, 0.6, 0.45))
    stays = Walk((0.8, 0.0, 0.9, 0.3), (0.8, 0.1, 0.9, 0.4))
    clip = write_clip(tmp_path / "clip.mp4", [down, up, stays])
    with FakeServer({"fastestdet-coco": painted_detector(["person"])}):
        run = run_app(examples / "people-counter" / "app.py", clip)
    assert run.texts[-1] == [str({"in": 1, "out": 1})]
    passed = [packet["results"]["data"]["direction"] for packet in run.published]
    assert sorted(passed) == ["in", "out"]


def leaning_person(image_bgr: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
    """A body whose lean is as dark as the picture says: upright on black, 60 degrees on grey."""
    lean = math.radians(60 if image_bgr.mean() > 50 else 0)
    points = np.full((17, 3), 0.5, np.float32)  # y, x, score
    points[[5, 6], 0], points[[5, 6], 1] = 0.6 - 0.3 * math.cos(lean), 0.5 + 0.3 * math.sin(lean)
    points[[11, 12], 0] = 0.6
    return {"points": points[None, None]}


def test_bent_posture_begins_and_ends_once(examples: Path, tmp_path: Path) -> None:
    manifest: dict[str, Any] = {
        "purpose": "PoseEstimation",
        "labels": ["person"],
        "preprocess": {"layout": "NCHW", "colour": "BGR"},
        "postprocess": {"decoder": "movenet"},
    }
    black = [Walk((0, 0, 1, 1), (0, 0, 1, 1), label=6, frames=span) for span in ((0, 10), (20, 30))]
    clip = write_clip(tmp_path / "clip.mp4", black)
    model = FakeModel(manifest, leaning_person, input_shape=(1, 3, 180, 180))
    with FakeServer({"movenet-lightning": model}):
        run = run_app(examples / "posture-check" / "app.py", clip)
    words = [text[0] for text in run.texts]
    assert (words.index("bent over"), words[-1]) == (14, "upright")
    assert [packet["type"] for packet in run.published] == ["StartTimedEvent", "EndTimedEvent"]
    assert len({packet["results"]["event_id"] for packet in run.published}) == 1


def test_occupancy_of_two_cameras_changes_with_who_stands_where(
    examples: Path, tmp_path: Path
) -> None:
    entrance = write_clip(
        tmp_path / "entrance.mp4", [Walk((0.1, 0.4, 0.2, 0.9), (0.8, 0.4, 0.9, 0.9))]
    )
    leaving = write_clip(
        tmp_path / "exit.mp4", [Walk((0.45, 0.4, 0.55, 0.9), (0.45, 0.4, 0.55, 0.9))]
    )
    with FakeServer({"fastestdet-coco": painted_detector(["person"])}):
        run = run_app(examples / "zone-occupancy" / "app.py", entrance, leaving)
    told = [
        (p["results"]["camera_label"], p["results"]["zone_label"], p["results"]["value"])
        for p in run.published
    ]
    assert told == [
        ("entrance", "porch", 1),
        ("entrance", "path", 0),
        ("exit", "door", 1),
        ("entrance", "porch", 0),
        ("entrance", "path", 1),
    ]
    assert run.images[0].shape == (360, 1280, 3)
