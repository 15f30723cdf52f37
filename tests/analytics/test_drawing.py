"""Pictures drawn into, put together, cut; FPS."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from camfleet.drawing.compose import (
    blend_images,
    cutout_image,
    list_files,
    list_images,
    overlay_image,
    resize,
    safe_hstack,
)
from camfleet.drawing.filters import filter_predictions_by_area, filter_predictions_by_label
from camfleet.drawing.markup import (
    blur_objects,
    markup_image,
    overlay_transparent_boxes,
    transparent_overlay_boxes,
)
from camfleet.drawing.shapes import draw_rounded_rectangle, draw_text_with_background
from camfleet.errors import BadArgument, BadImage
from camfleet.fps import FPS
from camfleet.object_trackers.centroid import CentroidTracker
from camfleet.results.boxes import BoundingBox
from camfleet.results.detection import ObjectDetectionPrediction
from moving import seen

RED = (0, 0, 255)


def black(width: int = 200, height: int = 160) -> Any:
    return np.zeros((height, width, 3), np.uint8)


def red_at(image: Any, x: int, y: int) -> bool:
    return bool((image[y, x] == RED).all())


def test_box_and_text_are_drawn_in_the_colour_of_the_class_into_a_copy() -> None:
    image = black()
    marked = markup_image(image, [seen(100, 100, size=80)], colors=[RED], text_box_padding=2)
    assert red_at(marked, 60, 130)
    assert red_at(marked, 62, 62)  # the text's ground, in the box's corner
    assert not red_at(marked, 100, 100)
    assert not image.any()


def test_colours_of_a_service_are_taken_as_they_are() -> None:
    colours = np.array([[9, 9, 9], RED], np.uint8)  # what `colors` of a service is
    found = [ObjectDetectionPrediction(BoundingBox(60, 60, 140, 140), 0.9, "person", 1)]
    assert red_at(markup_image(black(), found, colors=colours), 60, 130)
    assert red_at(overlay_transparent_boxes(black(), found, 1, colours), 100, 100)


@pytest.mark.parametrize(
    ("arguments", "place"),
    [
        ({}, (62, 62)),
        ({"text_box_position": ("right", "bottom"), "text_box_alignment": ("right", "bottom")},
         (138, 138)),
        ({"text_box_position": (5, 40)}, (66, 101)),
        ({"text_box_alignment": ("left", "bottom")}, (62, 58)),
    ],
    ids=["default", "lower right", "pixels", "above"],
)  # fmt: skip
def test_text_is_where_it_is_wanted(arguments: dict[str, Any], place: tuple[int, int]) -> None:
    one = seen(100, 100, label="x", size=80)
    plain = markup_image(black(), [one], False, False, [RED])
    marked = markup_image(
        black(), [one], show_confidences=False, colors=[RED], text_box_padding=3, **arguments
    )
    assert red_at(marked, *place)
    assert not red_at(plain, *place)


def test_text_at_the_edge_stays_in_the_image() -> None:
    marked = markup_image(black(), [seen(5, 5, label="label")], colors=[RED])
    assert red_at(marked, 2, 2)


def test_corners_are_round_where_asked_for() -> None:
    marked = markup_image(
        black(), [seen(100, 100, size=80)], False, False, [RED], bounding_box_corner_radius=20
    )
    assert not red_at(marked, 60, 60)
    assert red_at(marked, 100, 60)
    filled = draw_rounded_rectangle(black(), (20, 20), (120, 120), RED, -1, 30)
    assert red_at(filled, 70, 70)
    assert not red_at(filled, 22, 22)


def test_what_a_tracker_returned_is_drawn_and_colours_begin_again() -> None:
    objects = CentroidTracker(min_inertia=1).update([seen(100, 100)])
    objects[0].prediction.index = 7
    assert markup_image(black(), objects, colors=[RED, (1, 2, 3)])[:, :, 0].max() == 255
    assert markup_image(black(), []).sum() == 0


def test_boxes_are_laid_over_and_shine_through() -> None:
    image = np.full((160, 200, 3), 100, np.uint8)
    one = seen(100, 100, size=80)
    laid = overlay_transparent_boxes(image, [one], 0.25, [(200, 0, 0)])
    assert laid[100, 100].tolist() == [125, 75, 75]
    assert laid[10, 10].tolist() == [100, 100, 100]
    assert (transparent_overlay_boxes(image, [one], 0.25, [(200, 0, 0)]) == laid).all()
    assert (overlay_transparent_boxes(image, [one], show_labels=True) == 255).any()


def test_blurred_objects_cannot_be_told_from_others_of_their_brightness() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (160, 200, 3), np.uint8)
    blurred = blur_objects(noise, [seen(100, 100, size=80), seen(-300, 0)])
    assert blurred[70:130, 70:130].std() < 0.25 * noise[70:130, 70:130].std()
    assert (blurred[:50] == noise[:50]).all()


def test_bad_alignment_and_alpha_are_refused() -> None:
    with pytest.raises(BadArgument, match=r"alignment .* is unknown"):
        draw_text_with_background(black(), "x", 0, 0, alignment=("middle", "top"))  # type: ignore[arg-type]  # the test's point
    with pytest.raises(BadArgument, match=r"alpha is 1\.5"):
        overlay_transparent_boxes(black(), [], 1.5)


def test_images_are_blended_and_overlaid_by_a_mask() -> None:
    white = np.full_like(black(), 200)
    assert (blend_images(white, black(), 0.25) == 50).all()
    mask = np.zeros((160, 200), np.uint8)
    mask[:80] = 1
    laid = overlay_image(white, black(), mask)
    assert (laid[:80] == 200).all()
    assert not laid[80:].any()
    assert overlay_image(white, black(), np.full((160, 200), 0.5))[0, 0, 0] == 100
    with pytest.raises(BadImage, match="resize"):
        blend_images(white, black(10, 10), 0.5)
    with pytest.raises(BadImage, match="the mask has shape"):
        overlay_image(white, black(), mask[:5])


def test_box_is_cut_out_as_far_as_it_is_in_the_image() -> None:
    image = black()
    image[10:20, 10:20] = 9
    part = cutout_image(image, BoundingBox(-5, 5, 20, 20))
    assert part.shape == (15, 20, 3)
    part[:] = 0
    assert image.any()
    with pytest.raises(BadImage, match="nothing of"):
        cutout_image(image, BoundingBox(500, 0, 600, 10))


@pytest.mark.parametrize(
    ("arguments", "shape"),
    [
        ({"width": 100}, (80, 100)),
        ({"height": 40}, (40, 50)),
        ({"width": 100, "height": 100}, (80, 100)),
        ({"width": 100, "height": 100, "keep_scale": False}, (100, 100)),
        ({"width": 400, "height": 400}, (320, 400)),
        ({"width": 1, "height": 1}, (1, 1)),
    ],
)
def test_image_is_resized_in_its_shape_or_not(
    arguments: dict[str, Any], shape: tuple[int, int]
) -> None:
    assert resize(black(), **arguments).shape[:2] == shape


@pytest.mark.parametrize("width", [None, 0])
def test_resize_needs_a_size(width: int | None) -> None:
    with pytest.raises(BadArgument, match="give pixels above 0"):
        resize(black(), width)


def test_images_of_any_height_stand_side_by_side() -> None:
    stacked = safe_hstack([black(10, 20), np.full((5, 10, 3), 7, np.uint8)])
    assert stacked.shape == (20, 20, 3)
    assert stacked[4, 15].tolist() == [7, 7, 7]
    assert not stacked[6, 15].any()
    with pytest.raises(BadImage, match="there is no image"):
        safe_hstack([])


def test_images_of_a_folder_are_listed(tmp_path: Path) -> None:
    for name in ("b.jpg", "sub/a.PNG", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert list_images(tmp_path) == [str(tmp_path / "b.jpg"), str(tmp_path / "sub/a.PNG")]
    assert list_images(tmp_path, contains="a") == [str(tmp_path / "sub/a.PNG")]
    with pytest.raises(FileNotFoundError, match="no folder"):
        list_images(tmp_path / "nowhere")
    everything = [str(tmp_path / name) for name in ("b.jpg", "notes.txt", "sub/a.PNG")]
    assert list_files(base_path=tmp_path) == everything
    assert list_files(tmp_path, valid_exts=(".txt", ".png")) == everything[1:]
    assert list_files(tmp_path, ".txt", contains="b") == []


def test_predictions_are_chosen_by_label_and_by_area() -> None:
    person, car = seen(0, 0), seen(0, 0, "car", size=100)
    assert filter_predictions_by_label([person, car], ["car", "truck"]) == [car]
    assert filter_predictions_by_area([person, car], 5000) == [car]
    with pytest.raises(TypeError, match=r"write \['car'\]"):
        filter_predictions_by_label([person], "car")


def test_text_fits_a_tiny_image_and_letters_are_readable() -> None:
    for ground, ink in (((255, 255, 255), 0), ((0, 0, 0), 255)):
        image, width, height = draw_text_with_background(
            image=np.full((40, 90, 3), 128, np.uint8),
            text="abc",
            start_x=10,
            start_y=5,
            color=ground,
        )
        assert (cv2.cvtColor(image, cv2.COLOR_BGR2GRAY) == ink).sum() > 20
        assert 40 < width < 80
        assert 20 < height < 40
    assert draw_text_with_background(black(5, 5), "too long", 0, 0)[0].shape == (5, 5, 3)


def test_fps_counts_frames_per_second(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = [10.0]
    monkeypatch.setattr("camfleet.fps.time.perf_counter", lambda: now_s[0])
    fps = FPS().start()
    for _ in range(30):
        fps.update()
    now_s[0] = 12.0
    assert fps.compute_fps() == pytest.approx(15)
    fps.stop()
    now_s[0] = 99.0
    assert fps.get_elapsed_seconds() == 2.0
    assert fps.compute_fps() == pytest.approx(15)
    with pytest.raises(RuntimeError, match=r"call start\(\)"):
        FPS().compute_fps()


def test_fps_that_is_stopped_before_any_loop_hides_no_other_error() -> None:
    fps = FPS()
    fps.stop()
    assert (fps.get_elapsed_seconds(), fps.compute_fps()) == (0, 0)
    fps.update()
    with pytest.raises(RuntimeError, match=r"call start\(\)"):
        fps.compute_fps()
