"""Pipelines of balena's video-capture block become cameras, or say why they cannot."""

from pathlib import Path
from typing import Any

import pytest

from camfleet_contracts.cameras import Camera
from camfleet_contracts.cameras_file import BadCameras, read_cameras
from camfleet_contracts.gst_pipeline import entry_of_pipeline
from camfleet_contracts.settings import read_settings

USB = (
    "( v4l2src device=/dev/video2 ! video/x-raw,width=640,height=480,framerate=15/1 ! videoconvert"
    " ! x264enc tune=zerolatency bitrate=500 ! rtph264pay name=pay0 pt=96 )"
)


@pytest.mark.parametrize(
    ("pipeline", "source", "capture"),
    [
        pytest.param(
            USB, "/dev/video2", {"size": "640x480", "frame_rate": 15.0}, id="raw USB camera"
        ),
        pytest.param(
            "v4l2src ! image/jpeg, width=(int)640, height=(int)480, framerate=(fraction)30/1"
            " ! rtpjpegpay name=pay0",
            "auto",
            {"size": "640x480", "frame_rate": 30.0},
            id="MJPEG of the first camera",
        ),
        pytest.param(
            "rpicamsrc bitrate=8000000 preview=false rotation=180 ! "
            "video/x-h264,width=1920,height=1080,framerate=30/1 ! h264parse ! rtph264pay name=pay0",
            "picamera",
            {"size": "1920x1080", "frame_rate": 30.0, "rotation": 180},
            id="Pi camera upside down",
        ),
        pytest.param("libcamerasrc ! rtph264pay name=pay0", "picamera", {}, id="libcamera"),
        pytest.param(
            "nvarguscamerasrc sensor-id=1 ! video/x-raw(memory:NVMM),width=1280,height=720 ! "
            "nvvidconv ! nvv4l2h264enc ! rtph264pay name=pay0",
            "csi:1",
            {"size": "1280x720"},
            id="Jetson",
        ),
        pytest.param(
            "videotestsrc pattern=ball ! videoflip method=clockwise ! x264enc ! rtph264pay",
            "testcard",
            {"rotation": 90},
            id="test picture",
        ),
        pytest.param(
            "rtspsrc location=rtsp://10.0.0.7/main latency=0 ! rtph264depay ! rtph264pay name=pay0",
            "rtsp://10.0.0.7/main",
            {},
            id="network camera",
        ),
    ],
)
def test_a_usual_pipeline_becomes_a_camera(
    pipeline: str, source: str, capture: dict[str, Any]
) -> None:
    entry = entry_of_pipeline(pipeline)
    assert entry == {"source": source, "capture": capture}
    Camera.model_validate({"name": "camera", **entry})


@pytest.mark.parametrize(
    ("pipeline", "reason"),
    [
        ("ximagesrc ! x264enc ! rtph264pay", "source 'ximagesrc' is not known"),
        ("v4l2src ! textoverlay text=hi ! x264enc", "element 'textoverlay' has no counterpart"),
        ("v4l2src ! videoflip method=upper-left-diagonal", "rotation 'upper-left-diagonal'"),
        ("rtspsrc location=rtsp://h/1 user-id=a user-pw=b ! rtph264pay", "holds a password"),
        ("filesrc ! decodebin", "a source without its location"),
        ("", "source '' is not known"),
        ('v4l2src device="/dev/video0 ! x264enc', "No closing quotation"),
    ],
)
def test_another_pipeline_names_what_has_no_counterpart(pipeline: str, reason: str) -> None:
    with pytest.raises(ValueError, match="GST_RTSP_PIPELINE") as caught:
        entry_of_pipeline(pipeline)
    assert reason in str(caught.value)
    assert "docs/cameras.md" in str(caught.value)


def test_the_variable_of_the_block_adds_its_camera(tmp_path: Path) -> None:
    path = tmp_path / "cameras.yaml"
    path.write_text("cameras: []\n")
    (camera,) = read_cameras(path, read_settings(gst_rtsp_pipeline=USB)).cameras
    assert (camera.name, camera.source, camera.capture.size) == ("camera", "/dev/video2", "640x480")


def test_what_is_said_of_that_camera_elsewhere_wins(tmp_path: Path) -> None:
    path = tmp_path / "cameras.yaml"
    path.write_text("cameras: []\n")
    both = read_settings(gst_rtsp_pipeline=USB, camera_source="demo:street")
    assert read_cameras(path, both).cameras[0].source == "demo:street"
    path.write_text("cameras: [{name: camera, source: testcard}]\n")
    assert read_cameras(path, both).cameras[0].source == "testcard"


def test_a_pipeline_without_counterpart_is_a_fault_of_the_configuration(tmp_path: Path) -> None:
    path = tmp_path / "cameras.yaml"
    path.write_text("cameras: []\n")
    with pytest.raises(BadCameras, match="element 'tee' has no counterpart"):
        read_cameras(path, read_settings(gst_rtsp_pipeline="v4l2src ! tee name=t"))
