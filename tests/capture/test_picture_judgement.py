"""Black, covered and frozen pictures are told, and no real picture is taken for one."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from camfleet_capture.access_unit import AccessUnit
from camfleet_capture.coding import PictureEncoder
from camfleet_capture.pictures.judgement import LOOKS_BEFORE_FROZEN, PictureJudge, PictureName
from camfleet_capture.pictures.look import Look, look_at
from camfleet_capture.pictures.watch import PictureWatch
from camfleet_capture.sources.table import SourceAddress, open_source
from fakes_capture import LENGTH, camera_lines, capture_running, write_clip
from waiting import wait_until

CLIPS = [
    "bottles-640x360", "car-topdown-768x432", "crossing-a-1280x720", "highway-a-320x240",
    "one-by-one-768x432", "worker-zone-480x270",
]  # fmt: skip
Pixels = NDArray[np.uint8]
rng = np.random.default_rng(7)


def noisy(pixels: NDArray[np.floating], sigma: float) -> Pixels:
    return np.clip(pixels + rng.normal(0, sigma, pixels.shape), 0, 255).astype(np.uint8)


def as_night(pixels: Pixels) -> Pixels:
    """A twelfth of the light, and the noise of a sensor that tries its best."""
    return noisy(pixels.astype(np.float64) / 12 + 3, 3)


def as_defocused(pixels: Pixels) -> Pixels:
    radius = pixels.shape[1] / 16
    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(radius)))


def as_lens_cap(pixels: Pixels) -> Pixels:
    return noisy(np.zeros(pixels.shape), 3)


def as_hand(pixels: Pixels) -> Pixels:
    """Skin right before the lens: one colour, a little more light at one side."""
    light = np.linspace(0, 12, pixels.shape[1])[None, :, None]
    return noisy(np.full(pixels.shape, (96.0, 50.0, 40.0)) + light, 4)


def key_pictures(path: Path, most: int = 8) -> Iterator[Pixels]:
    with av.open(str(path)) as container:
        container.streams.video[0].codec_context.skip_frame = "NONKEY"
        for _, frame in zip(range(most), container.decode(video=0), strict=False):
            yield frame.to_ndarray(format="rgb24").astype(np.uint8)


def coded(pixels: Pixels) -> AccessUnit:
    frame = VideoFrame.from_ndarray(pixels, format="rgb24")
    return next(PictureEncoder(15).encode(frame, 0, 0))


def look(pixels: Pixels) -> Look:
    seen = look_at([coded(pixels)])
    assert seen
    return seen


def word(looks: Sequence[Look | None], *, may_be_still: bool = False) -> PictureName | None:
    judge = PictureJudge(may_be_still=may_be_still)
    return [judge.take(look) for look in looks][-1]


@pytest.fixture(params=CLIPS)
def clip_pictures(request: pytest.FixtureRequest, shared_data: Path) -> list[Pixels]:
    return list(key_pictures(shared_data / "media" / "clips" / f"{request.param}.mp4"))


def test_no_picture_of_a_real_clip_is_taken_for_a_fault(clip_pictures: list[Pixels]) -> None:
    judge = PictureJudge(may_be_still=False)
    assert {judge.take(look(pixels)) for pixels in clip_pictures} == {"clear"}


def test_no_night_is_taken_for_a_covered_or_broken_camera(clip_pictures: list[Pixels]) -> None:
    judge = PictureJudge(may_be_still=False)
    assert {judge.take(look(as_night(pixels))) for pixels in clip_pictures} == {"clear"}


def test_a_lens_out_of_focus_is_told(clip_pictures: list[Pixels]) -> None:
    seen = look(as_defocused(clip_pictures[0]))
    assert word([seen] * 3) == "covered"


@pytest.fixture
def street() -> Pixels:
    """A made-up picture with edges everywhere."""
    return rng.integers(0, 255, (18, 32, 3), np.uint8).repeat(20, axis=0).repeat(20, axis=1)


def test_a_lens_cap_is_black(street: Pixels) -> None:
    assert word([look(as_lens_cap(street)) for _ in range(3)]) == "black"


def test_a_hand_before_the_lens_covers_it(street: Pixels) -> None:
    assert word([look(as_hand(street)) for _ in range(3)]) == "covered"


def test_one_bad_look_is_no_fault_and_one_good_look_ends_it(street: Pixels) -> None:
    good, bad = look(street), look(as_lens_cap(street))
    assert word([good, bad, bad]) == "clear"
    assert word([bad, bad, bad]) == "black"
    assert word([bad, bad, bad, good]) == "clear"


def test_a_picture_that_never_changes_is_frozen_only_for_live_cameras(street: Pixels) -> None:
    looks = [look(street)] * LOOKS_BEFORE_FROZEN
    assert word(looks) == "frozen"
    assert word(looks[1:]) == "clear"
    assert word(looks, may_be_still=True) == "clear"


def test_a_still_scene_before_a_real_sensor_is_not_frozen(street: Pixels) -> None:
    looks = [look(noisy(street.astype(np.float64), 3)) for _ in range(LOOKS_BEFORE_FROZEN + 2)]
    assert word(looks) == "clear"


def test_a_loop_with_one_key_picture_is_not_frozen(street: Pixels) -> None:
    key = coded(street)
    moving = look_at([key, key, key])  # what lies between the key pictures is not small
    assert moving
    assert word([moving] * (LOOKS_BEFORE_FROZEN + 2)) == "clear"


def test_a_key_picture_with_holes_is_damaged(street: Pixels) -> None:
    key = coded(street)
    holes = bytearray(key.nals[-1])
    holes[len(holes) // 2 :: 50] = bytes(len(holes[len(holes) // 2 :: 50]))
    damaged = replace(key, nals=(*key.nals[:-1], bytes(holes)))
    assert word([look_at([damaged])] * 3) == "damaged"
    assert word([look_at([AccessUnit((b"\x65broken",), True, 0, 0.0)])] * 3) == "damaged"


def test_a_key_picture_that_leans_on_others_is_not_damaged(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "open.mp4", b_frames=2, open_groups=True)
    units = open_source(SourceAddress(str(clip), tmp_path)).units(threading.Event())
    keys = [unit for _, unit in zip(range(LENGTH), units, strict=False) if unit.is_key]
    assert len(keys) == 2
    assert None not in [look_at([key]) for key in keys]


class LiveCamera:
    """A file that shows a group of pictures, as far as the watch asks."""

    is_live = True
    latest_key = None
    picture: PictureName | None = None
    address = SourceAddress("street.mp4", Path("/"))

    def __init__(self, group: list[AccessUnit]) -> None:
        self.group, self.stream = group, self


def test_a_camera_whose_picture_is_good_is_looked_at_every_second_time(
    street: Pixels, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown, seen = [coded(street)], list[AccessUnit]()

    def noted(group: Sequence[AccessUnit]) -> Look | None:
        seen.append(group[0])
        return look_at(group)

    monkeypatch.setattr("camfleet_capture.pictures.look.look_at", noted)
    camera: Any = LiveCamera(shown)
    watch = PictureWatch(lambda: (camera,))
    looks = []
    for pixels in (street, street, street, as_lens_cap(street), *[as_lens_cap(street)] * 3):
        shown[:] = [coded(pixels)]
        watch.look()
        looks.append(len(seen))
    assert looks == [1, 1, 2, 2, 3, 4, 5]
    assert camera.picture == "black"


def test_the_state_of_a_camera_says_that_its_picture_is_black(
    tmp_path: Path, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("camfleet_capture.pictures.watch.INTERVALS_S", (0.1,))
    file = tmp_path / "cameras.yaml"
    masked = "    capture: {masks: [[0, 0, 1, 1]]}\n"
    file.write_text(camera_lines(good=str(clip), bad=str(clip)) + masked)
    with capture_running(file) as capture:
        wait_until(lambda: capture.state("bad")["picture"] == "black", 60, "black")
        wait_until(lambda: capture.state("good")["picture"] == "clear", 60, "clear")
        bad, metrics = capture.state("bad"), capture.get("/metrics").text
    assert (bad["state"], bad["reason"][:20]) == ("LIVE", "the picture is black")
    assert 'camfleet_capture_picture{camera="bad",picture="black"} 1.0' in metrics
    assert 'camfleet_capture_picture{camera="good",picture="black"} 0.0' in metrics
