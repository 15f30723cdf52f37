"""What `camfleet doctor` says of folders that are volumes, of devices, and of images."""

import errno
from pathlib import Path

import pytest

from camfleet.cli.checks.finding import Finding
from camfleet.cli.checks.fleet import check_cameras
from camfleet.cli.checks.folders import check_folders
from camfleet.cli.checks.images import image_findings
from camfleet_contracts.files import why_not_written
from camfleet_contracts.settings import read_settings
from processes import running


def test_a_folder_that_can_be_written_is_fine_and_an_absent_one_is_not_named(
    tmp_path: Path,
) -> None:
    settings = read_settings(models_dir=tmp_path, state_dir=tmp_path / "none")
    told = {finding.check: finding.verdict for finding in check_folders(settings)}
    assert told["folder model volume"] in {"ok", "note"}
    assert "folder state" not in told
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("number", "cause"),
    [
        pytest.param(errno.EROFS, "is read-only here", id="read-only"),
        pytest.param(errno.ENOSPC, "is full", id="full"),
        pytest.param(errno.EACCES, "belongs to uid", id="wrong owner"),
        pytest.param(errno.EIO, "Input/output error", id="anything else"),
    ],
)
def test_why_a_volume_cannot_be_written_is_told_by_its_cause(
    tmp_path: Path, number: int, cause: str
) -> None:
    error = OSError(number, "Input/output error", str(tmp_path / "not" / "there"))
    assert cause in why_not_written(tmp_path, error)


def test_a_camera_whose_device_is_missing_is_named_with_the_reason(tmp_path: Path) -> None:
    cameras = "version: 1\ncameras: [{name: door, source: /dev/video77}]\n"
    (tmp_path / "cameras.yaml").write_text(cameras)
    folders = {"MODELS_DIR": str(tmp_path), "CAMFLEET_STATE": str(tmp_path)}
    with running("camfleet-capture", "--rtsp-port=0", "--http-port=0", env=folders) as capture:
        port = capture.logged(r"listening rtsp=\S+ http=\S+:(\d+)").group(1)
        capture.logged("camera not live camera=door")
        settings = read_settings(
            models_dir=tmp_path, state_dir=tmp_path, capture_http_port=int(port)
        )
        *_, finding = check_cameras(settings)
    text = "FAILED device /dev/video77: not there; is it plugged in?"
    assert finding == Finding("camera door", "bad", text)


def test_an_image_for_another_processor_is_named_with_what_to_do() -> None:
    title = {"org.opencontainers.image.title": "camfleet capture"}
    image = {"Id": "sha256:1", "RepoTags": ["capture:1"], "Config": {"Labels": title}}
    images = [image | {"Architecture": name} for name in ("amd64", "arm64")]

    fitting, wrong = image_findings(images, "amd64")

    assert fitting == Finding("camfleet capture", "ok", "image capture:1 for amd64")
    assert wrong.verdict == "bad"
    assert "is for arm64, this machine is amd64: exec format error" in wrong.text
