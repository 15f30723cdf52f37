"""Masks as polygons: they cover what the mask covers, and fit into a message."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from camfleet.outlines import FEWEST_POINTS, MOST_POINTS, Outline, outlines_of
from direct_inference import load_direct, read_picture

FRAME = (640, 480)


def filled(outlines: tuple[Outline, ...], size: tuple[int, int] = FRAME) -> NDArray[np.bool_]:
    picture = np.zeros(size[::-1], np.uint8)
    cv2.fillPoly(picture, [np.array(one).reshape(-1, 2) for one in outlines], 1)
    return picture > 0


def grown(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    cells = cv2.resize(mask.astype(np.uint8), FRAME, interpolation=cv2.INTER_NEAREST)
    return np.asarray(cells) > 0


def overlap(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    return float((one & other).sum() / (one | other).sum())


def disc(radius: int, hole: int = 0) -> NDArray[np.bool_]:
    y, x = np.mgrid[:160, :160] - 80
    distance = np.hypot(x, y)
    return np.asarray((distance <= radius) & (distance >= hole))


@pytest.mark.parametrize("hole", [0, 30], ids=["disc", "ring"])
def test_outlines_cover_what_the_mask_covers(hole: int) -> None:
    mask = disc(60, hole)
    [outlines] = outlines_of(mask[None], FRAME)
    assert len(outlines) == (2 if hole else 1)
    assert overlap(filled(outlines), grown(mask)) > 0.95


def test_masks_of_a_real_model_keep_their_shape(shared_data: Path) -> None:
    model = load_direct(shared_data, "deeplabv3-mnv2-dm05-voc")
    picture = read_picture(shared_data / "media" / "images" / "pets-2-dogs.jpg")
    found = model.detect(picture, 0.5)
    assert found.masks is not None
    best = int(found.masks.sum(axis=(1, 2)).argmax())
    outlines = outlines_of(found.masks, FRAME)[best]
    assert overlap(filled(outlines), grown(found.masks[best])) > 0.95


@pytest.mark.parametrize("objects", [1, 12, 100])
def test_a_message_is_bounded_whatever_the_masks_are(objects: int) -> None:
    noise = np.random.default_rng(1).random((objects, 160, 160)) > 0.5
    told = outlines_of(noise, (1920, 1080))
    points = sum(len(one) // 2 for outlines in told for one in outlines)
    assert 0 < points <= max(MOST_POINTS, objects * FEWEST_POINTS)
    assert len(json.dumps(told)) < 20_000


def test_an_empty_mask_has_no_outline() -> None:
    assert outlines_of(np.zeros((2, 8, 8), np.bool_), FRAME) == [(), ()]


def test_no_masks_have_no_outlines() -> None:
    assert outlines_of(np.zeros((0, 8, 8), np.bool_), FRAME) == []
