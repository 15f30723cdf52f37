import io
from datetime import datetime
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from camfleet_capture.demo import FRAMES_PER_SECOND, StreetScene
from fakes_capture import (
    FPS,
    HEIGHT,
    LENGTH,
    WIDTH,
    camera_lines,
    capture_running,
    read_with_wall_times,
)
from waiting import wait_until

METRIC = 'camfleet_capture_bits_per_second{camera="one"}'


def test_state_names_what_an_operator_asks_for(tmp_path: Path, clip: Path) -> None:
    file = tmp_path / "cameras.yaml"
    file.write_text(camera_lines(one=str(clip)))
    with capture_running(file) as capture:
        state = capture.wait_for("one", "LIVE")
    assert (state["codec"], state["width"], state["height"]) == ("h264", WIDTH, HEIGHT)
    assert state["source_kind"] == "file"
    assert state["fps"] == FPS
    assert state["rtsp_url"] == f"rtsp://127.0.0.1:{capture.rtsp_port}/one"


def test_bitrate_of_a_camera_is_told_in_state_and_metrics(tmp_path: Path, clip: Path) -> None:
    file = tmp_path / "cameras.yaml"
    file.write_text(camera_lines(one=str(clip)))
    with capture_running(file) as capture:
        wait_until(lambda: capture.state("one")["loops"] >= 2, 60, "two rounds")
        told, metrics = capture.state("one")["bits_per_s"], capture.get("/metrics").text
        (line,) = [line for line in metrics.splitlines() if line.startswith(METRIC)]
    with av.open(str(clip)) as container:
        octets = sum(packet.size for packet in container.demux(video=0))
    assert told == pytest.approx(8 * octets * FPS / LENGTH, rel=0.3)
    assert float(line.split()[-1]) == pytest.approx(told, rel=0.3)


def test_snapshot_is_a_jpeg_of_the_picture(tmp_path: Path, clip: Path) -> None:
    file = tmp_path / "cameras.yaml"
    file.write_text(camera_lines(one=str(clip), absent="no.mp4"))
    with capture_running(file) as capture:
        capture.wait_for("one", "LIVE")
        answer = capture.get("/cameras/one/snapshot.jpg")
        without = capture.get("/cameras/absent/snapshot.jpg")
    assert Image.open(io.BytesIO(answer.content)).size == (WIDTH, HEIGHT)
    assert without.status_code == 503
    assert "no.mp4" in without.json()["error"]


def test_truth_is_only_known_of_the_demo(tmp_path: Path, clip: Path) -> None:
    file = tmp_path / "cameras.yaml"
    file.write_text(camera_lines(one=str(clip), street="demo:street?seed=9"))
    with capture_running(file) as capture:
        capture.wait_for("street", "LIVE")
        truth = capture.get("/cameras/street/truth").json()
        assert capture.get("/cameras/one/truth").status_code == 404
    assert (truth["scene"], truth["seed"]) == ("demo:street", 9)
    assert truth["started_at"].endswith("Z")
    assert truth["lines"]["gate"]["from"][0] == 0


def test_demo_shows_what_its_truth_says_at_the_wall_time_of_the_picture(tmp_path: Path) -> None:
    file = tmp_path / "cameras.yaml"
    file.write_text(camera_lines(street="demo:street?seed=9"))
    with capture_running(file) as capture:
        capture.wait_for("street", "LIVE")
        shown = read_with_wall_times(capture.url("street"), 30, "camfleet")
        started = datetime.fromisoformat(capture.get("/cameras/street/truth").json()["started_at"])
    frame, wall = shown[-1]
    picture = frame.to_ndarray(format="rgb24").astype(float)
    scene, time_s = StreetScene(seed=9), wall - started.timestamp()
    offsets_s = [step / FRAMES_PER_SECOND for step in range(-4, 5)]
    faults = [np.abs(scene.frame(time_s + o) - picture).mean() for o in offsets_s]
    assert abs(offsets_s[int(np.argmin(faults))]) <= 1 / FRAMES_PER_SECOND


def test_metrics_carry_the_camera(tmp_path: Path, clip: Path) -> None:
    file = tmp_path / "cameras.yaml"
    file.write_text(camera_lines(one=str(clip)))
    with capture_running(file) as capture:
        capture.wait_for("one", "LIVE")
        metrics = capture.get("/metrics").text
    assert 'camfleet_capture_state{camera="one",state="LIVE"} 1.0' in metrics
    assert 'camfleet_capture_frames_total{camera="one"}' in metrics


def test_unknown_camera_is_not_found(tmp_path: Path) -> None:
    file = tmp_path / "cameras.yaml"
    file.write_text("version: 1\ncameras: []\n")
    with capture_running(file) as capture:
        for path in ("/cameras/x", "/cameras/x/snapshot.jpg", "/cameras/x/truth", "/nothing"):
            assert capture.get(path).status_code == 404
        assert capture.get("/healthz").status_code == 200
