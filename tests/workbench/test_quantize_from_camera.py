"""Pictures to calibrate with, from a camera that is running."""

from itertools import pairwise
from pathlib import Path

import pytest

from camfleet_workbench.tools.calibration import pictures_of
from cli_runs import CommandLine
from fakes_capture import camera_lines, capture_running


def test_a_running_camera_gives_pictures_of_different_moments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    camfleet = CommandLine(tmp_path / "fleet", monkeypatch, capsys)
    file = tmp_path / "cameras.yaml"
    file.write_text(camera_lines(street="demo:street"))
    with capture_running(file) as capture:
        capture.wait_for("street", "LIVE")
        camfleet.set(
            CAMFLEET_CAPTURE=f"rtsp://127.0.0.1:{capture.rtsp_port}",
            CAMFLEET_CAPTURE_HTTP=f"http://127.0.0.1:{capture.http_port}",
        )
        taken = pictures_of("street", 4)
    times = [picture.time for picture in taken if picture.time is not None]
    assert len(times) == 4
    assert all(later - earlier >= 0.4 for earlier, later in pairwise(times))
