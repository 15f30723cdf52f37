"""Detection in tiles: what they cover, how their answers become one, and how they are asked."""

from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
import pytest

from camfleet.detections import Detections
from camfleet.inference.crops import Rectangle
from camfleet.inference.detector import Detected, ServerDetector
from camfleet.inference.errors import InferenceRefused, ServerBusy
from camfleet.inference.model_client import ModelClient
from camfleet.inference.tile_merging import merge
from camfleet.inference.tiling import TiledDetector, tiles_of
from camfleet.video.once import Once
from camfleet_contracts.cameras_file import BadCameras, parse_cameras
from camfleet_contracts.stages import Tiles
from fakes_analytics import Box, boxes, camera, picture, served
from fakes_kserve import FakeServer, FakeVersion, one_box, serving

SIZE = (400, 200)
LEFT, RIGHT, WHOLE = (0, 0, 220, 200), (180, 0, 400, 200), (0, 0, 400, 200)


def merged(*parts: tuple[Rectangle, Sequence[Box]]) -> list[list[float]]:
    """Boxes of the picture out of boxes in each part's own pixels."""
    found = merge([boxes(*inside) for _, inside in parts], [part for part, _ in parts], SIZE)
    return sorted(found.xyxy.tolist())


def test_tiles_cover_the_picture_and_overlap() -> None:
    assert tiles_of((1280, 720), Tiles()) == [
        (0, 0, 712, 400),
        (568, 0, 1280, 400),
        (0, 320, 712, 720),
        (568, 320, 1280, 720),
    ]


@pytest.mark.parametrize("size", [(1280, 720), (641, 479), (64, 48)])
@pytest.mark.parametrize("grid", [(2, 2), (4, 1), (3, 4)])
def test_no_pixel_is_left_out(size: tuple[int, int], grid: tuple[int, int]) -> None:
    seen = np.zeros((size[1], size[0]), bool)
    for left, top, right, bottom in tiles_of(size, Tiles(grid=grid, overlap=0)):
        seen[top:bottom, left:right] = True
    assert seen[: size[1] // 2 * 2, : size[0] // 2 * 2].all()


def test_what_two_tiles_see_whole_is_one_object() -> None:
    assert merged((LEFT, [(190, 50, 210, 90)]), (RIGHT, [(10, 50, 30, 90)])) == [[190, 50, 210, 90]]


def test_a_fragment_goes_where_the_whole_object_is_known() -> None:
    whole = (200, 50, 300, 150)
    assert merged((LEFT, [(200, 50, 220, 150)]), (RIGHT, [(20, 50, 120, 150)])) == [list(whole)]


def test_a_large_object_is_told_as_the_whole_picture_shows_it() -> None:
    fragments = ((LEFT, [(20, 20, 220, 180)]), (RIGHT, [(0, 20, 200, 180)]))
    assert merged(*fragments, (WHOLE, [(20, 20, 380, 180)])) == [[20, 20, 380, 180]]


def test_fragments_without_a_whole_are_put_together() -> None:
    assert merged((LEFT, [(120, 50, 220, 150)]), (RIGHT, [(0, 50, 100, 150)])) == [
        [120, 50, 280, 150]
    ]


def test_an_object_over_four_tiles_is_put_together() -> None:
    parts = [(0, 0, 220, 110), (180, 0, 400, 110), (0, 90, 220, 200), (180, 90, 400, 200)]
    cut: list[Box] = [(120, 40, 220, 110), (0, 40, 100, 110), (120, 0, 220, 70), (0, 0, 100, 70)]
    assert merged(*zip(parts, [[one] for one in cut], strict=True)) == [[120, 40, 280, 160]]


def test_two_neighbours_at_one_border_stay_two() -> None:
    near: list[Box] = [(170, 20, 220, 60), (165, 25, 220, 70)]
    assert len(merged((LEFT, near), (RIGHT, []))) == 2


def test_a_small_object_in_front_of_a_large_one_stays() -> None:
    both: list[Box] = [(20, 20, 150, 180), (40, 80, 80, 160)]
    assert len(merged((LEFT, both), (WHOLE, both))) == 2


def test_classes_leave_each_other_alone() -> None:
    found = merge(
        [boxes((50, 50, 90, 90), label="car"), _as_class(boxes((50, 50, 90, 90), label="bus"), 1)],
        [WHOLE, WHOLE],
        SIZE,
    )
    assert sorted(found.labels) == ["bus", "car"]


def _as_class(found: Detections, number: int) -> Detections:
    return Detections(
        found.xyxy, found.confidence, np.full(len(found), number, np.int64), found.labels
    )


def test_nothing_found_anywhere_is_nothing() -> None:
    assert merged((LEFT, []), (RIGHT, []), (WHOLE, [])) == []


def batching(manifest_shape: int) -> FakeVersion:
    """A version that finds one box a picture, whatever the batch is."""
    version = one_box("car", 0.25)
    row = np.array([0, 0, 0.9, 0.25, 0, 0.5, 1], np.float32)
    version.shape = (manifest_shape, 3, 32, 32)
    version.answer = lambda given: {"out": np.tile(row, (len(given), 1, 1, 1))}
    return version


def asked(version: FakeVersion, tiles: Tiles) -> tuple[Detected, FakeServer, ServerDetector]:
    with serving(FakeServer({1: version})) as server:
        client = ModelClient(server.address)
        detector = ServerDetector(client)
        tiled = TiledDetector(detector, tiles)
        tiled.detect(picture(), "m", 0.5)
        found = tiled.detect(picture(), "m", 0.5)
        client.close()
    return found, server, detector


def test_a_model_with_an_open_batch_is_asked_once_a_frame() -> None:
    found, server, _ = asked(batching(-1), Tiles())
    assert [shape for _, shape in server.received] == [[5, 3, 32, 32]] * 2
    assert len(found.detections) == 3  # the whole picture's, and two of fragments


def test_a_model_with_a_batch_of_one_is_asked_beside_each_other() -> None:
    found, server, _ = asked(batching(1), Tiles())
    assert [shape for _, shape in server.received] == [[1, 3, 32, 32]] * 10
    assert len(found.detections) == 3  # the whole picture's, and two of fragments


def test_answers_that_do_not_divide_are_asked_for_one_by_one_from_then_on() -> None:
    version = batching(-1)
    version.answer = lambda given: {
        "out": np.tile([0, 0, 0.9, 0.25, 0, 0.5, 1.0], (1, 1, len(given), 1))
    }
    found, server, _ = asked(version, Tiles())
    assert [shape[0] for _, shape in server.received] == [5] + [1] * 10
    assert len(found.detections) == 3  # the whole picture's, and two of fragments


class Busy:
    def detect(
        self, picture: av.VideoFrame, reference: str, confidence: float, once: Once | None = None
    ) -> Detected:
        raise ServerBusy("h:9000", "queue full")

    def detect_all(
        self, pictures: Sequence[av.VideoFrame], reference: str, confidence: float
    ) -> list[Detected]:
        return [self.detect(one, reference, confidence) for one in pictures]


def test_one_tile_without_an_answer_costs_the_frame() -> None:
    with pytest.raises(ServerBusy):
        TiledDetector(Busy(), Tiles()).detect(picture(), "m", 0.5)


class Classifying(Busy):
    def detect(
        self, picture: av.VideoFrame, reference: str, confidence: float, once: Once | None = None
    ) -> Detected:
        return Detected(boxes(), served(decoder="classification"), 0)


def test_a_classifier_has_no_use_for_tiles_and_it_is_said() -> None:
    with pytest.raises(InferenceRefused, match="finds no boxes; take `tiles` out"):
        TiledDetector(Classifying(), Tiles()).detect(picture(), "m", 0.5)


@pytest.mark.parametrize(
    ("tiles", "reason"),
    [
        ("{grid: [1, 1]}", "one tile is the picture itself"),
        ("{grid: [9, 1]}", "less than or equal to 4"),
        ("{overlap: 0.9}", "less than or equal to 0.5"),
        ("{tiles: 3}", "tiles"),
    ],
)
def test_tiles_that_make_no_sense_are_refused(tiles: str, reason: str) -> None:
    text = f"cameras:\n  - {{name: door, source: x.mp4, pipeline: {{tiles: {tiles}}}}}\n"
    with pytest.raises(BadCameras, match=reason):
        parse_cameras(text, path=Path("cameras.yaml"))


def test_tiles_are_off_unless_they_are_asked_for() -> None:
    assert camera().pipeline.tiles is None
    assert camera("{tiles: {}}").pipeline.tiles == Tiles()
