"""Background subtraction in edgeIQ's names, on painted pictures and on a real clip."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import camfleet

SUBTRACTORS = [camfleet.MOG2, camfleet.KNN]


def picture(left: int | None = None) -> NDArray[np.uint8]:
    """A grey wall; with a white square when `left` says where."""
    image = np.full((120, 160, 3), 90, np.uint8)
    if left is not None:
        image[40:80, left : left + 40] = 250
    return image


@pytest.mark.parametrize("subtractor", SUBTRACTORS)
def test_what_comes_is_in_front_and_has_contour_and_box(subtractor: type[Any]) -> None:
    model = subtractor(history=50, detect_shadows=False)
    for _ in range(20):
        model.process_frame(picture())
    mask = model.process_frame(picture(60), learning_rate=0)
    assert mask.shape == (120, 160)
    raw = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    contours = camfleet.get_contours(raw_contours=raw)
    assert camfleet.get_boundingboxes(contours=contours) == [(60, 40, 40, 40)]


@pytest.mark.parametrize("subtractor", SUBTRACTORS)
def test_what_stays_becomes_background(subtractor: type[Any]) -> None:
    model = subtractor(history=10, detect_shadows=False)
    for _ in range(10):
        model.process_frame(picture())
    masks = [model.process_frame(picture(60), learning_rate=0.5) for _ in range(20)]
    assert masks[0].any()
    assert not masks[-1].any()


def test_a_real_clip_moves_while_somebody_is_there(shared_data: Path) -> None:
    truth = json.loads((shared_data / "expected" / "clip-one-by-one-768x432.json").read_text())
    (begins, ends), (next_begins, _) = truth["visits"][:2]
    model = camfleet.MOG2(history=120, var_threshold=50, detect_shadows=True)
    clip = shared_data / "media" / "clips" / "one-by-one-768x432.mp4"
    with camfleet.FileVideoStream(str(clip)) as video:
        masks = (model.process_frame(video.read()) for _ in range(next_begins))
        shares = [(mask == 255).mean() for mask in masks]
    assert np.median(shares[begins + 5 : begins + 30]) > 0.02
    assert max(shares[20 : begins - 10]) < 0.01
    assert np.median(shares[ends + 15 : next_begins - 5]) < 0.01


def test_cuda_is_refused_and_a_grey_picture_too() -> None:
    with pytest.raises(camfleet.UnsupportedEngine, match="no CUDA; leave `cuda` out"):
        camfleet.MOG2(cuda=True)
    with pytest.raises(camfleet.BadImage, match="KNN: the image has shape"):
        camfleet.KNN().process_frame(picture()[:, :, 0])
