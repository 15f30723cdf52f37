"""`app_configurations` of alwaysAI's starter applications."""

import json
from pathlib import Path
from typing import Any

import pytest

import camfleet
from camfleet.apps.application import BadApplication

STARTER = {
    "video_streams": [
        {"mode": "FILE", "arg": "video/one.mp4"},
        {"mode": "IP", "arg": "rtsp://10.0.0.5/live"},
        {"mode": "USB", "arg": 1},
    ],
    "inference": {"mode": "INFERENCE", "confidence": 0.5, "overlap_threshold": 0.3},
    "tracker": {"max_distance": 100, "deregister_frames": 30, "min_inertia": 6},
    "video_writer": {"enable": True, "output_path": "out.avi", "fps": 5, "codec": "MJPG"},
}


def test_starter_applications_schema_makes_streams_tracker_and_writer(tmp_path: Path) -> None:
    document = {"app_configurations": STARTER, "models": {"alwaysai/mobilenet_ssd": 5}}
    (tmp_path / "alwaysai.app.json").write_text(json.dumps(document))
    told = camfleet.AppConfig(tmp_path).app_configurations
    kinds = [type(stream) for stream in camfleet.video_streams_of(told)]
    assert kinds == [
        camfleet.FileVideoStream,
        camfleet.IPVideoStream,
        camfleet.WebcamVideoStream,
    ]
    assert camfleet.KalmanTracker(**told["tracker"]).update([]) == {}
    writer = {key: value for key, value in told["video_writer"].items() if key != "enable"}
    camfleet.VideoWriter(**writer).close()


@pytest.mark.parametrize(
    ("configurations", "reason"),
    [
        ({}, '"video_streams" is missing'),
        ({"video_streams": []}, '"video_streams" is missing'),
        ({"video_streams": [{"mode": "USB", "arg": 0}, {"arg": 0}]}, r"\[1\]: mode None; use FILE"),
        ({"video_streams": [{"mode": "CSI", "arg": 0}]}, "mode 'CSI'; use FILE, IP or USB"),
        ({"video_streams": ["clip.mp4"]}, r"video_streams\[0\] is 'clip.mp4'; write"),
    ],
    ids=["none", "empty", "no mode", "unknown mode", "no object"],
)
def test_streams_that_cannot_be_are_named(configurations: Any, reason: str) -> None:
    with pytest.raises(BadApplication, match=reason):
        camfleet.video_streams_of(configurations)
