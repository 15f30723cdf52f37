"""The test card shows its number so that people and programs can read it."""

from itertools import pairwise
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame

from camfleet_capture.sources.testcard import NUMBER_BITS, MovingCard
from camfleet_capture.sources.v4l2.choice import Wish
from fakes_capture import camera_lines, capture_running, reading_options


def number_of(frame: VideoFrame) -> int:
    grey = frame.to_ndarray(format="gray")
    lowest = grey[frame.height * 15 // 16, :].reshape(NUMBER_BITS, -1).mean(axis=1) > 128
    return int("".join("1" if bit else "0" for bit in lowest), 2)


def test_every_picture_of_the_card_is_another_one() -> None:
    card = MovingCard(Wish(640, 360, 15))
    first, second = card.draw(1, "12:00:00.000"), card.draw(2, "12:00:00.067")
    assert first.shape == (360, 640, 3)
    assert np.abs(first.astype(int) - second).sum() > 0
    assert np.array_equal(first, card.draw(1, "12:00:00.000"))


def test_the_card_counts_its_pictures_and_their_times(tmp_path: Path) -> None:
    file = tmp_path / "cameras.yaml"
    file.write_text(
        camera_lines(card="testcard") + "    capture: {size: 320x180, frame_rate: 20}\n"
    )
    with capture_running(file) as capture:
        state = capture.wait_for("card", "LIVE")
        with av.open(capture.url("card"), options=reading_options(), timeout=(60, 60)) as container:
            frames = [frame for _, frame in zip(range(15), container.decode(video=0), strict=False)]
    assert (state["codec"], state["width"], state["height"]) == ("testcard to h264", 320, 180)
    numbers = [number_of(frame) for frame in frames]
    assert all(later > earlier for earlier, later in pairwise(numbers))
    elapsed_s = float(frames[-1].time or 0) - float(frames[1].time or 0)
    assert abs(elapsed_s - (numbers[-1] - numbers[1]) / 20) < 0.06
