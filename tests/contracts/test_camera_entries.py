"""Changes of single cameras where cameras.yaml shares parts among them."""

from pathlib import Path

import pytest

from camfleet_contracts.camera_entries import (
    add_entry,
    merge_entry,
    remove_entry,
    replace_entry,
)
from camfleet_contracts.cameras import Camera, CamerasFile
from camfleet_contracts.cameras_file import BadCameras, read_cameras

ALIASED = """\
cameras:
  - name: a
    source: demo:street
    pipeline: &p   # as fast
      fps: 3  # enough
      tracker: {kind: sort}
  - {name: b, source: demo:street, pipeline: *p}
"""
MERGED = """\
cameras:
  - &c  # the base
    name: a
    source: demo:street
    pipeline: {fps: 3}
    enabled: false
  - {<<: *c, name: b}
"""
SECRET = "cameras:\n  - {name: a, source: 'rtsp://me:secret@h/b'}\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cameras.yaml"


def anything(_: Camera) -> None:
    """A check that lets every change pass."""


def camera(file: CamerasFile, name: str) -> Camera:
    found = file.find(name)
    assert found is not None
    return found


@pytest.mark.parametrize("text", [ALIASED, MERGED], ids=["alias", "merge"])
@pytest.mark.parametrize(("changed", "other"), [("a", "b"), ("b", "a")])
def test_a_change_of_one_camera_leaves_the_other(
    path: Path, text: str, changed: str, other: str
) -> None:
    path.write_text(text)
    before = camera(read_cameras(path), other)
    merge_entry(path, changed, {"pipeline": {"fps": 9, "tracker": {"kind": "ocsort"}}}, anything)
    after = read_cameras(path)
    assert camera(after, other) == before
    assert camera(after, changed).pipeline.fps == 9
    assert camera(after, changed).pipeline.tracker.kind == "ocsort"


def test_comments_stay_where_parts_were_shared(path: Path) -> None:
    path.write_text(ALIASED)
    merge_entry(path, "a", {"pipeline": {"fps": 9}}, anything)
    assert [words for words in ("# as fast", "# enough") if words not in path.read_text()] == []


def test_what_was_merged_in_can_be_taken_out(path: Path) -> None:
    path.write_text(MERGED)
    assert merge_entry(path, "b", {"enabled": None}, anything).enabled
    assert replace_entry(path, "b", {"source": "demo:street"}, anything).pipeline.fps == 5
    assert not camera(read_cameras(path), "a").enabled


@pytest.mark.parametrize("text", [ALIASED, MERGED], ids=["alias", "merge"])
def test_a_camera_outlives_the_one_it_shares_with(path: Path, text: str) -> None:
    path.write_text(text)
    before = camera(read_cameras(path), "b")
    remove_entry(path, "a")
    assert read_cameras(path).cameras == (before,)


@pytest.mark.parametrize("source", ["rtsp://***@h/other", "http://h/b?password=***"])
def test_a_source_with_stars_for_its_secret_is_refused(path: Path, source: str) -> None:
    path.write_text(SECRET)
    with pytest.raises(BadCameras, match=r"source has \*\*\* for a secret"):
        merge_entry(path, "a", {"source": source}, anything)
    with pytest.raises(BadCameras, match=r"source has \*\*\* for a secret"):
        add_entry(path, {"name": "b", "source": source})
    assert path.read_text() == SECRET


def test_the_source_as_it_is_shown_keeps_its_secret(path: Path) -> None:
    path.write_text(SECRET)
    after = merge_entry(path, "a", {"source": "rtsp://***@h/b", "enabled": False}, anything)
    assert (after.source, after.enabled) == ("rtsp://me:secret@h/b", False)


def test_an_entry_nested_too_deeply_is_refused(path: Path) -> None:
    deep: list[object] = []
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(BadCameras, match="nested too deeply"):
        add_entry(path, {"name": "a", "source": "x.mp4", "pipeline": {"tracker": {"x": deep}}})


def test_text_that_is_no_unicode_is_refused(path: Path) -> None:
    with pytest.raises(BadCameras):
        add_entry(path, {"name": "a", "source": "\ud800.mp4"})
    assert not path.exists()


STYLED = """\
# cameras of the house
---
version: 1
defaults:
    model: "fastestdet-coco"      # ours
cameras:
    # the porch
    -   name: "front-door"
        source: 'rtsp://10.0.0.7/{long}?channel=1'
        enabled: True
        pipeline:
            labels:
            - person
    # the yard
    -   {{name: yard,  source: "/dev/video0"}}

    # last words
sinks:
    mqtt: {{ address: 'mqtts://broker.lan' }}
""".format(long="a-long-path/" * 10)
NEW = "    -   name: new\n        source: demo:street\n        pipeline:\n            fps: 3\n"
YARD = '    -   {name: yard,  source: "/dev/video0"}\n'


@pytest.fixture
def styled(tmp_path: Path) -> Path:
    file = tmp_path / "styled.yaml"
    file.write_text(STYLED)
    return file


def test_an_added_camera_is_written_in_the_style_of_the_file_and_touches_no_other_line(
    styled: Path,
) -> None:
    add_entry(styled, {"name": "new", "source": "demo:street", "pipeline": {"fps": 3}})
    assert styled.read_text() == STYLED.replace(YARD, YARD + NEW)


def test_a_changed_camera_touches_its_own_lines_only(styled: Path) -> None:
    merge_entry(styled, "yard", {"enabled": False}, anything)
    after = '    -   {name: yard, source: "/dev/video0", enabled: false}\n'
    assert styled.read_text() == STYLED.replace(YARD, after)


def test_a_removed_camera_takes_its_own_lines_only(styled: Path) -> None:
    remove_entry(styled, "yard")
    assert styled.read_text() == STYLED.replace(YARD, "")


def test_a_setting_that_is_added_stays_before_the_comment_of_the_next_camera(
    tmp_path: Path,
) -> None:
    file = tmp_path / "cameras.yaml"
    before = "cameras:\n- name: a\n  source: x\n{}\n# the yard\n- name: b\n  source: y\n"
    file.write_text(before.format(""))
    merge_entry(file, "a", {"pipeline": {"fps": 3}}, anything)
    assert file.read_text() == before.format("  pipeline:\n    fps: 3\n")


def test_points_and_names_are_written_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "cameras.yaml"
    file.write_text("cameras:\n- name: yard\n  source: demo:street\n")
    zone = {"name": "gate", "polygon": [[0.1, 0.2], [0.3, 0.4], [0.5, 0.1]]}
    merge_entry(file, "yard", {"pipeline": {"labels": ["car", "bus"], "zones": [zone]}}, anything)
    lines = [line.strip() for line in file.read_text().splitlines()]
    assert "labels: [car, bus]" in lines
    assert "polygon: [[0.1, 0.2], [0.3, 0.4], [0.5, 0.1]]" in lines


def test_ends_of_lines_stay_those_of_the_file(styled: Path) -> None:
    styled.write_bytes(STYLED.replace("\n", "\r\n").encode())
    remove_entry(styled, "yard")
    assert styled.read_bytes() == STYLED.replace(YARD, "").replace("\n", "\r\n").encode()


def test_cameras_that_share_settings_stay_what_they_are_when_the_first_goes(tmp_path: Path) -> None:
    file = tmp_path / "cameras.yaml"
    first = "cameras:\n  - &A\n    name: a\n    source: x\n    pipeline: {fps: 2}\n"
    file.write_text(first + "  - {<<: *A, name: b}\n")
    remove_entry(file, "a")
    (left,) = read_cameras(file).cameras
    assert (left.name, left.source, left.pipeline.fps) == ("b", "x", 2)


SHARING = """version: 1
cameras:
  # the door
  - name: door
    source: demo:street
    pipeline: &ours
      fps: 3
  # the yard
  - name: yard
    source: demo:street
    pipeline: *ours
  # the gate
  - name: gate
    source: demo:street
    pipeline:
      <<: *ours
"""


def test_comments_stay_when_a_camera_goes_that_others_share_settings_with(tmp_path: Path) -> None:
    file = tmp_path / "cameras.yaml"
    file.write_text(SHARING)
    remove_entry(file, "door")
    lines = file.read_text().splitlines()
    assert lines[2:4] == ["  # the door", "  # the yard"]
    assert "  # the gate" in lines
    assert lines[6:8] == ["    pipeline:", "      fps: 3"]
    assert [camera.pipeline.fps for camera in read_cameras(file).cameras] == [3, 3]


@pytest.mark.parametrize("name", ["yard", "gate"])
def test_settings_that_were_shared_are_indented_as_the_file_is(tmp_path: Path, name: str) -> None:
    file = tmp_path / "cameras.yaml"
    file.write_text(SHARING)
    merge_entry(file, name, {"pipeline": {"fps": 5}}, anything)
    assert "    pipeline:\n      fps: 5\n" in file.read_text()


@pytest.mark.parametrize(
    "head",
    [
        pytest.param("# ours\n\n---\n# in it\nversion: 1\n", id="before the beginning"),
        pytest.param("# ours\n--- # here\nversion: 1\n", id="beside the beginning"),
        pytest.param("# none yet\n", id="nothing else"),
        pytest.param("# ours\n---\n# none yet\n", id="nothing else on both sides"),
    ],
)
def test_comments_stay_when_the_first_camera_comes(tmp_path: Path, head: str) -> None:
    file = tmp_path / "cameras.yaml"
    is_empty = "version" not in head
    file.write_text(head if is_empty else head + "cameras: []\n")
    add_entry(file, {"name": "door", "source": "testcard"})
    lines = "cameras:\n  - name: door\n    source: testcard\n"
    assert file.read_text() == head + ("version: 1\n" if is_empty else "") + lines
