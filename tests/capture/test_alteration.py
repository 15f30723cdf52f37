"""Pictures are turned and masked before anybody sees them, and only encoded ones are."""

import io
from pathlib import Path

import numpy as np
import pytest
from av.video.frame import VideoFrame
from numpy.typing import NDArray
from PIL import Image

from camfleet_capture.access_unit import CLOCK_HZ
from camfleet_capture.alteration import Alteration, alteration_of
from camfleet_capture.coding import PictureEncoder
from camfleet_contracts.capturing import Capturing
from fakes_capture import capture_running
from waiting import wait_until

LEFT_HALF = [[0, 0], [0.5, 0], [0.5, 1], [0, 1]]


def picture() -> NDArray[np.uint8]:
    """Four flat parts of different grey, wider than high."""
    grey = np.zeros((60, 100), np.uint8)
    grey[:30, :50], grey[:30, 50:], grey[30:, :50], grey[30:, 50:] = 60, 100, 150, 200
    return np.repeat(grey[:, :, None], 3, axis=2)


def altered(alteration: Alteration) -> NDArray[np.uint8]:
    frame = VideoFrame.from_ndarray(picture(), format="rgb24")
    return alteration.apply(frame).to_ndarray(format="rgb24").astype(np.uint8)


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_rotation_turns_clockwise(degrees: int) -> None:
    alteration = alteration_of(Capturing.model_validate({"rotation": degrees}))
    expected = np.asarray(Image.fromarray(picture()).rotate(-degrees, expand=True))
    got = altered(alteration)
    assert got.shape == expected.shape
    assert np.abs(got.astype(int) - expected)[4:-4, 4:-4].mean() < 3


@pytest.mark.parametrize(
    "mask", [pytest.param([0, 0, 0.5, 1], id="rectangle"), pytest.param(LEFT_HALF, id="polygon")]
)
def test_a_mask_leaves_nothing_to_see(mask: list[float] | list[list[float]]) -> None:
    got = altered(alteration_of(Capturing.model_validate({"masks": [mask]})))
    assert got[:, :50].max() == 0
    assert got[:, 54:].min() > 80


def test_a_mask_lies_where_the_turned_picture_shows_it() -> None:
    wanted = {"rotation": 90, "masks": [[0, 0, 1, 0.5]]}  # the left half of the camera's picture
    got = altered(alteration_of(Capturing.model_validate(wanted)))
    assert got[:50].max() == 0
    assert set(np.unique(got[60:90, 5:25] // 10)) == {20}


def test_pictures_of_odd_size_can_be_altered() -> None:
    frame = VideoFrame.from_ndarray(np.full((61, 99, 3), 90, np.uint8), format="rgb24")
    turned = Alteration(1).apply(frame)
    assert (turned.width, turned.height) == (60, 98)


def snapshot(content: bytes) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(content)).convert("L"))


def test_masks_hold_for_files_and_sub_streams_and_say_that_they_cost_encoding(
    tmp_path: Path, clip: Path
) -> None:
    file = tmp_path / "cameras.yaml"
    file.write_text(
        f"cameras:\n  - name: door\n    source: {clip}\n    detect_source: {clip}\n"
        "    capture: {masks: [[0, 0, 1, 1]]}\n  - {name: open, source: " + str(clip) + "}\n"
    )
    with capture_running(file) as capture:
        states = [capture.wait_for(name, "LIVE") for name in ("door", "door-sub", "open")]
        seen = [capture.get(f"/cameras/{s['name']}/snapshot.jpg").content for s in states]
    codec = "h264 to h264 (masked)"
    assert [state["codec"] for state in states] == [codec, codec, "h264"]
    assert [snapshot(picture).max() < 5 for picture in seen] == [True, True, False]


def test_a_changed_mask_restarts_its_camera_and_no_other(tmp_path: Path, clip: Path) -> None:
    file = tmp_path / "cameras.yaml"
    text = "cameras:\n  - name: {}\n    source: {}\n    capture: {{rotation: {}}}\n"
    other = f"  - {{name: other, source: {clip}}}\n"
    file.write_text(text.format("door", clip, 0) + other)
    with capture_running(file) as capture:
        capture.wait_for("door", "LIVE")
        frames = capture.wait_for("other", "LIVE")["frames"]
        file.write_text(text.format("door", clip, 180) + other)
        wanted = "h264 to h264 (rotated 180)"
        wait_until(lambda: capture.state("door")["codec"] == wanted, 60, wanted)
        assert capture.state("other")["frames"] >= frames
        assert capture.state("other")["reconnects"] == 0


def test_key_pictures_are_in_time_where_fewer_pictures_come_than_the_camera_told() -> None:
    encoder, frame = PictureEncoder(fps=30), VideoFrame.from_ndarray(picture(), format="rgb24")
    units = [one for n in range(10) for one in encoder.encode(frame, n * CLOCK_HZ, float(n))]
    assert [unit.is_key for unit in units] == [n % 2 == 0 for n in range(10)]
