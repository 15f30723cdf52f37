"""camfleet.testing: what it fakes is what the library sees, and a wrong result is told."""

from pathlib import Path

import pytest

import camfleet
from camfleet.images import Image
from camfleet.placement.connections import close_connections
from camfleet.testing import (
    FakeCamera,
    FakeServer,
    Sighting,
    Walk,
    clip_as_camera,
    paint,
    painted_detector,
    run_app,
    write_clip,
)
from camfleet.testing.golden import Golden

STANDS = Walk((0.25, 0.25, 0.5, 0.75), (0.25, 0.25, 0.5, 0.75))
IMAGE = paint([((0.25, 0.25, 0.5, 0.75), 0), ((0.6, 0.1, 0.8, 0.3), 1)], (640, 360))


@pytest.fixture(autouse=True)
def no_connection_is_left() -> None:
    close_connections()


def test_painted_boxes_are_found_where_they_are() -> None:
    with FakeServer({"me/any": painted_detector(["person", "car"])}) as server:
        detector = camfleet.ObjectDetection("me/any")
        detector.load()
        found = detector.detect_objects(IMAGE).predictions
        assert server.models["me.any"].asked[-1] == (320, 180)
    boxes = {one.label: one.box for one in found}
    person, car = boxes["person"], boxes["car"]
    assert (person.start_x, person.start_y, person.end_x, person.end_y) == (160, 90, 320, 270)
    assert (car.start_x, car.end_x) == pytest.approx((384, 512), abs=2)


def test_batches_and_functions_of_the_tests_own() -> None:
    seen: list[tuple[int, ...]] = []

    def finds(image_bgr: Image) -> list[Sighting]:
        seen.append(image_bgr.shape)
        return [Sighting(0, (0, 0, 1, 1), 0.5 + 0.1 * len(seen))]

    with FakeServer({"any": painted_detector(["person"], finds=finds)}):
        detector = camfleet.ObjectDetection("any")
        detector.load()
        results = detector.detect_objects_batch([IMAGE, IMAGE])
    assert sorted(round(one.predictions[0].confidence, 1) for one in results) == [0.6, 0.7]


def test_accelerator_is_what_the_fake_claims() -> None:
    with FakeServer({"any": painted_detector(["person"], runs_on=("HailoRT", "HAILO"))}):
        detector = camfleet.ObjectDetection("any")
        detector.load()
        assert (detector.engine, detector.accelerator) == ("HAILO_RT", "HAILO")


def test_server_that_goes_is_an_error_of_the_library() -> None:
    with FakeServer({"any": painted_detector(["person"])}) as server:
        detector = camfleet.ObjectDetection("any")
        detector.load()
        server.is_down = True
        with pytest.raises(camfleet.CamfleetError, match="server"):
            detector.detect_objects(IMAGE)


def test_camera_shows_its_images_and_is_lost_once() -> None:
    with FakeCamera([IMAGE] * 3, lost_at=1) as camera:
        camera.read()
        with pytest.raises(camfleet.StreamLost):
            camera.read()
        camera.read()
        camera.read()
        assert not camera.more()
        with pytest.raises(camfleet.NoMoreFrames):
            camera.read()


def test_every_camera_shows_the_clip(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", [STANDS], frames=3)
    with clip_as_camera(clip), camfleet.WebcamVideoStream(cam=4) as camera:
        images = [camera.read() for _ in range(3)]
        with pytest.raises(camfleet.NoMoreFrames):
            camera.read()
    assert images[0].shape == (180, 320, 3)


SCRIPT = """
import sys
import camfleet
import words
with camfleet.Streamer() as streamer, camfleet.IPVideoStream("rtsp://nobody") as video:
    while video.more() and not streamer.check_exit():
        streamer.send_data(video.read(), [words.HELLO, len(sys.argv)])
sys.exit(3)
"""


def test_script_runs_in_its_folder_and_what_it_shows_is_kept(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(SCRIPT)
    (tmp_path / "words.py").write_text("HELLO = 'hello'")
    clip = write_clip(tmp_path / "clip.mp4", [STANDS], frames=5)
    run = run_app(tmp_path / "app.py", "one", camera=clip)
    assert (run.code, len(run.images), run.texts[0]) == (3, 5, ["hello", "2"])
    (tmp_path / "words.py").write_text("HELLO = 'anew'")
    again = run_app(tmp_path / "app.py", camera=clip, stop_after=2)
    assert again.texts == [["anew", "1"], ["anew", "1"]]


def test_golden_result_is_written_then_compared(tmp_path: Path) -> None:
    value = {"boxes": [{"x": 10.0, "label": "person"}], "timestamp": "now", "ok": True}
    Golden(tmp_path, update=True).check("run", value)
    golden = Golden(tmp_path, update=False)
    golden.check(
        "run", {**value, "timestamp": "later", "boxes": ({"x": 10.05, "label": "person"},)}
    )
    with pytest.raises(AssertionError, match=r"boxes\[0\].x: found 11.0, expected 10.0"):
        golden.check("run", {**value, "boxes": [{"x": 11.0, "label": "person"}]})
    with pytest.raises(AssertionError, match=r"boxes.length: found 0, expected 1"):
        golden.check("run", {**value, "boxes": []})
    with pytest.raises(AssertionError, match="ok: found 1, expected True"):
        golden.check("run", {**value, "ok": 1})


def test_missing_golden_result_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="pytest --update-golden writes it"):
        Golden(tmp_path, update=False).check("none", [])
