from pathlib import Path

import pytest

from camfleet.cli.errors import CommandError
from camfleet.cli.fleet.run_cameras import (
    absolute_source,
    camera_name,
    split_sources,
    write_run_cameras,
)
from camfleet_contracts.cameras_file import read_cameras
from camfleet_contracts.secret_references import resolve_credentials


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("/dev/video0", "video0"),
        ("rtsp://user:secret@10.0.0.5:554/live/main", "10-0-0-5-main"),
        ("clips/One by One.mp4", "one-by-one"),
        ("demo:street?seed=7", "street"),
        ("testcard", "testcard"),
        ("___", "camera"),
    ],
)
def test_a_camera_is_named_after_its_source(source: str, name: str) -> None:
    assert camera_name(source) == name


def test_sources_become_cameras_with_the_model(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    clip.touch()
    path = tmp_path / "cameras.run.yaml"
    write_run_cameras(path, [str(clip), "/dev/video0", "rtsp://10.0.0.5/a"], "pets:2", tmp_path)
    cameras = read_cameras(path).cameras
    assert [camera.source for camera in cameras] == [str(clip), "/dev/video0", "rtsp://10.0.0.5/a"]
    assert {camera.pipeline.model for camera in cameras} == {"pets:2"}


def test_logins_in_addresses_go_into_files_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "cameras.run.yaml"
    write_run_cameras(path, ["rtsp://me:hunter2@10.0.0.5/main", "demo:street"], "pets", tmp_path)
    door, street = read_cameras(path).cameras
    assert "hunter2" not in path.read_text()
    assert (door.source, street.credentials) == ("rtsp://10.0.0.5/main", None)
    assert resolve_credentials(door.credentials, {}) == ("me", "hunter2")


def test_cameras_on_ribbon_cables_are_no_files() -> None:
    assert [absolute_source(source) for source in ("picamera:1", "csi:0", "auto")] == [
        *("picamera:1", "csi:0", "auto")
    ]


def test_equal_names_get_numbers(tmp_path: Path) -> None:
    path = tmp_path / "cameras.run.yaml"
    write_run_cameras(
        path, ["demo:street", "demo:street?seed=2", "demo:street?seed=3"], "pets", tmp_path
    )
    names = [camera.name for camera in read_cameras(path).cameras]
    assert names == ["street", "street-2", "street-3"]


def test_a_source_with_a_space_in_its_name_is_quoted() -> None:
    assert split_sources("'my clip.mp4' /dev/video0") == ("my clip.mp4", "/dev/video0")
    with pytest.raises(CommandError, match=r"--cameras .my clip\.mp4: no closing quotation"):
        split_sources("'my clip.mp4")


def test_the_same_sources_again_keep_what_was_edited(tmp_path: Path) -> None:
    path = tmp_path / "cameras.run.yaml"
    write_run_cameras(path, ["demo:street"], "pets", tmp_path)
    edited = path.read_text().replace("fps: 10", "fps: 3")
    path.write_text(edited)
    write_run_cameras(path, ["demo:street"], "pets", tmp_path)
    assert path.read_text() == edited
    write_run_cameras(path, ["demo:street"], "birds", tmp_path)
    assert read_cameras(path).cameras[0].pipeline.fps == 10
    assert (tmp_path / "cameras.run.before.yaml").read_text() == edited


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"source 'nothing\.mp4': no such file"):
        write_run_cameras(tmp_path / "cameras.run.yaml", ["nothing.mp4"], "pets", tmp_path)


def test_an_unknown_scheme_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="ftp"):
        write_run_cameras(tmp_path / "cameras.run.yaml", ["ftp://10.0.0.5/a"], "pets", tmp_path)
