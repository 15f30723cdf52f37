"""A recorded film in a fleet that is not held to the film's pace."""

import json
import shutil
from pathlib import Path

import av
import pytest

from camfleet_capture.demo import FRAMES_PER_SECOND, StreetScene
from fleet_of_processes import listening, running_fleet, unix
from waiting import wait_until

pytestmark = [pytest.mark.fleet, pytest.mark.alone]

PICTURES, RATE, BEGIN_S = 600, 2, 60
FILM_S = PICTURES / RATE  # five minutes: no box is so busy that it takes as long
CAMERAS = """\
cameras:
  - name: film
    source: street.mp4
    capture: {loop: false, real_time: false}
    pipeline: {model: demo-street, fps: 2, results_rate: 2}
"""


def write_film(path: Path) -> None:
    """The demo street as a file with B pictures, slowed down."""
    scene = StreetScene(seed=7)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        stream.options = {"preset": "veryfast", "bf": "2", "g": "30"}
        for number in range(PICTURES):
            pixels = scene.frame(BEGIN_S + number / FRAMES_PER_SECOND)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())


def test_every_picture_of_a_film_is_analysed_faster_than_it_was_filmed(
    repository: Path, tmp_path: Path
) -> None:
    write_film(tmp_path / "street.mp4")
    shutil.copytree(repository / "models" / "demo-street", tmp_path / "models" / "demo-street")
    entry = {"config": {"name": "demo-street", "base_path": "demo-street"}}
    (tmp_path / "models" / "config.json").write_text(json.dumps({"model_config_list": [entry]}))
    cameras = tmp_path / "cameras.yaml"
    cameras.write_text("cameras: []\n")
    with running_fleet(tmp_path) as fleet, listening(fleet, "?types=TrackingResults") as messages:
        cameras.write_text(CAMERAS)
        wait_until(
            lambda: fleet.status("film").get("frames", {}).get("analysed") == PICTURES,
            FILM_S,
            "all pictures are analysed",
        )
        wait_until(lambda: len(messages.of("film", "TrackingResults")) == PICTURES, 60, "results")
        frames, reason = fleet.status("film")["frames"], fleet.camera("film")["reason"]
    assert (frames["decoded"], frames["dropped"], frames["failed"]) == (PICTURES, 0, 0)
    assert "played to its end" in reason
    times = [unix(message["captured_at"]) for _, message in messages.of("film", "TrackingResults")]
    assert times[-1] - times[10] == pytest.approx((PICTURES - 11) / RATE, abs=0.1)
