"""Which of a camera's modes is taken, and what is left when the bus is full."""

import pytest

from camfleet_capture.sources.v4l2.choice import Wish, lighter, rank
from camfleet_capture.sources.v4l2.modes import Mode

H264_FULL = Mode("H264", 1920, 1080, 30.0)
MJPEG_HD, MJPEG_HD_FAST = Mode("MJPG", 1280, 720, 15.0), Mode("MJPG", 1280, 720, 30.0)
MJPEG_FULL, MJPEG_VGA = Mode("MJPG", 1920, 1080, 30.0), Mode("MJPG", 640, 480, 30.0)
RAW_HD_SLOW, RAW_VGA = Mode("YUYV", 1280, 720, 5.0), Mode("YUYV", 640, 480, 30.0)
RAW_VGA_SLOW, BAYER = Mode("YUYV", 640, 480, 15.0), Mode("pBAA", 1280, 720, 30.0)
USUAL = Wish()


@pytest.mark.parametrize(
    ("modes", "wish", "taken"),
    [
        pytest.param([RAW_VGA, MJPEG_HD, H264_FULL], USUAL, H264_FULL, id="native H.264 first"),
        pytest.param([RAW_VGA, MJPEG_FULL, MJPEG_HD], USUAL, MJPEG_HD, id="then MJPEG as wanted"),
        pytest.param([MJPEG_HD, MJPEG_HD_FAST], USUAL, MJPEG_HD, id="no faster than wanted"),
        pytest.param([RAW_HD_SLOW, RAW_VGA_SLOW], USUAL, RAW_VGA_SLOW, id="a slow one is no good"),
        pytest.param(
            [MJPEG_VGA, MJPEG_FULL], Wish(1920, 1080, 30), MJPEG_FULL, id="as large as wanted"
        ),
        pytest.param([MJPEG_HD, RAW_VGA], Wish(640, 480, 30), MJPEG_HD, id="MJPEG before raw"),
        pytest.param([BAYER, RAW_VGA], USUAL, RAW_VGA, id="raw sensor data cannot be read"),
        pytest.param(
            [Mode("H264", 320, 240, 30.0), MJPEG_HD], USUAL, MJPEG_HD, id="a tiny H.264 gives way"
        ),
        pytest.param(
            [Mode("MJPG", 1280, 720, None)],
            USUAL,
            Mode("MJPG", 1280, 720, None),
            id="no rates told",
        ),
    ],
)
def test_the_best_mode_is_taken(modes: list[Mode], wish: Wish, taken: Mode) -> None:
    assert rank(modes, wish)[0] == taken


def test_a_full_bus_leads_to_less_and_less_until_nothing_is_left() -> None:
    ranked = rank([RAW_VGA, RAW_VGA_SLOW, MJPEG_VGA], Wish(640, 480, 30))
    taken = [mode := ranked[0]]
    while following := lighter(ranked, mode):
        taken.append(mode := following)
    assert taken == [MJPEG_VGA]
    assert lighter(ranked, RAW_VGA) == MJPEG_VGA
    assert lighter([RAW_VGA, RAW_VGA_SLOW], RAW_VGA) == RAW_VGA_SLOW


def test_a_camera_without_a_readable_format_has_no_mode() -> None:
    assert rank([BAYER], USUAL) == []
