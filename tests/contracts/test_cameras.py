import os
from pathlib import Path
from typing import Any

import pytest

from camfleet_contracts.cameras import (
    CamerasFile,
    source_kind,
    split_publish_to,
)
from camfleet_contracts.cameras_edit import CamerasChanged, edit_cameras
from camfleet_contracts.cameras_file import BadCameras, parse_cameras, read_cameras
from camfleet_contracts.settings import read_settings

TEXT = """\
version: 1
defaults: {fps: 8, model: fastestdet-coco}
cameras:
  - name: front-door     # the porch
    source: rtsp://10.0.0.7/stream
    credentials: ${env:DOOR_CAM}
    pipeline:
      labels: [person]
      lines: [{name: gate, from: [0, 0.6], to: [1, 0.6]}]
  - {name: yard, source: /dev/video0, pipeline: {fps: 2}}
"""


def zoned(polygon: str) -> str:
    zones = f"[{{name: porch, polygon: {polygon}}}]"
    return f"cameras:\n  - {{name: a, source: x, pipeline: {{zones: {zones}}}}}"


def parsed(text: str) -> CamerasFile:
    return parse_cameras(text, path=Path("cameras.yaml"))


def test_defaults_fill_what_a_camera_does_not_say() -> None:
    door, yard = parsed(TEXT).cameras
    assert (door.pipeline.fps, yard.pipeline.fps) == (8, 2)
    assert door.pipeline.model == yard.pipeline.model == "fastestdet-coco"
    assert door.pipeline.lines[0].start == (0, 0.6)


def test_masks_are_rectangles_or_polygons() -> None:
    masks = "[[0, 0, 0.5, 1], [[0, 0], [1, 0], [1, 1]]]"
    (camera,) = parsed(f"cameras: [{{name: a, source: x, capture: {{masks: {masks}}}}}]").cameras
    assert camera.capture.polygons == (
        ((0, 0), (0.5, 0), (0.5, 1), (0, 1)),
        ((0, 0), (1, 0), (1, 1)),
    )


def test_a_size_is_width_and_height() -> None:
    (camera,) = parsed("cameras: [{name: a, source: x, capture: {size: 640x480}}]").cameras
    assert camera.capture.width_height == (640, 480)


def test_an_empty_file_has_no_camera() -> None:
    assert parsed("").cameras == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cameras: [", "cameras.yaml:1: not valid YAML"),
        ("- a", "needs a list 'cameras'"),
        ("version: 2", "version 2: this build reads version 1"),
        ("camera: []", "unknown key 'camera'"),
        ("defaults: {fps: 0}", "cameras.yaml:1: defaults: fps"),
        ("cameras:\n  - {name: Door, source: x}", "cameras.yaml:2: camera 'Door': name"),
        ("cameras:\n\n  - {name: a, source: x, colour: 1}", "cameras.yaml:3: camera 'a': colour"),
        ("cameras:\n  - {name: a, source: 'ftp://x'}", "scheme 'ftp'"),
        ("cameras:\n  - {name: a, source: x, credentials: me:pw}", "never the secret itself"),
        ("cameras:\n  - {name: a, source: x, pipeline: {model: 'm:0'}}", "number from 1"),
        ("cameras:\n  - {name: a, source: x, capture: {rotation: 45}}", "0, 90, 180 or 270"),
        (
            "cameras:\n  - {name: a, source: x, capture: {masks: [[0, 0, 2, 1]]}}",
            "masks.0.rectangle.2",
        ),
        ("cameras:\n  - {name: a, source: x, capture: {masks: [[[0, 0], [1, 1]]]}}", "at least 3"),
        ("cameras:\n  - {name: a, source: x, capture: {size: large}}", "capture.size"),
        ("cameras:\n  - {name: a, source: x}\n  - {name: a, source: y}", "cameras.yaml:3: .*twice"),
        ("1: a\nfoo: b", "unknown key '1'"),
        ("sinks: {a: {kind: [mqtt]}}", r"cameras.yaml:1: sink 'a': kind: \['mqtt'\] is not one of"),
        ("sinks: {a: {kind: mqtt, 1: 2}}", "cameras.yaml:1: sink 'a': .*must be strings"),
        ("cameras: " + "[" * 1000, "not valid YAML: nested too deeply"),
        (
            "cameras:\n  - {name: a, source: x, pipeline: {tracker: {x: !mine 1}}}",
            "cameras.yaml:2: camera 'a': .*serialize",
        ),
        ("version: " + "9" * 5000, "not valid YAML"),
        (zoned("[[0, 0], [1, 1]]"), "cameras.yaml:2: camera 'a': .*polygon.* at least 3"),
        (zoned("[[0, 0], [1, 1], [0.5, 0.5]]"), "points are on one line"),
        (zoned("[[0, 0], [1, 0], [640, 360]]"), "polygon.2.0: .*less than or equal to 1"),
        (TEXT.replace("to: [1, 0.6]", "to: [0, 0.6]"), "two different points"),
    ],
)
def test_every_fault_names_line_camera_and_field(text: str, message: str) -> None:
    with pytest.raises(BadCameras, match=message):
        parsed(text)


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("/dev/video0", "v4l2"),
        ("auto", "auto"),
        ("demo:street?seed=9", "demo"),
        ("rtsps://camera/live", "rtsp"),
        ("https://camera/mjpg", "http"),
        ("clips/a.mp4", "file"),
        ("pictures/", "folder"),
    ],
)
def test_the_text_of_a_source_tells_its_kind(source: str, kind: str) -> None:
    assert source_kind(source) == kind


@pytest.mark.parametrize("source", ["x" * 300, "a\0b", "/nowhere/clip.mp4"])
def test_a_path_that_cannot_be_looked_at_is_a_file_of_its_camera(source: str) -> None:
    assert source_kind(source) == "file"


def test_an_edit_keeps_comments(tmp_path: Path) -> None:
    path = tmp_path / "cameras.yaml"
    path.write_text(TEXT)
    with edit_cameras(path) as document:
        document["cameras"].append({"name": "new", "source": "demo:street"})
    assert "# the porch" in path.read_text()
    assert [camera.name for camera in read_cameras(path).cameras] == ["front-door", "yard", "new"]


def test_a_bad_edit_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "cameras.yaml"
    with pytest.raises(BadCameras, match="source"), edit_cameras(path) as document:
        document["cameras"].append({"name": "new"})
    assert not path.exists()


def test_a_file_that_is_no_utf8_is_neither_read_nor_edited(tmp_path: Path) -> None:
    path = tmp_path / "cameras.yaml"
    path.write_bytes(b"cameras: []  # \xff\n")
    with pytest.raises(BadCameras, match="UTF-8"):
        read_cameras(path)
    with pytest.raises(BadCameras, match="UTF-8"), edit_cameras(path):
        pass


def test_an_edit_loses_nothing_that_was_written_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / "cameras.yaml"
    path.write_text(TEXT)

    def change_while_an_editor_does(document: dict[str, Any]) -> None:
        del document["cameras"][1]
        path.write_text(TEXT + "# by hand\n")

    with pytest.raises(CamerasChanged, match="meanwhile"), edit_cameras(path) as document:
        change_while_an_editor_does(document)
    assert path.read_text() == TEXT + "# by hand\n"


def test_an_edit_keeps_the_mode_and_the_link_of_the_file(tmp_path: Path) -> None:
    path, real = tmp_path / "cameras.yaml", tmp_path / "real" / "yard.yaml"
    real.parent.mkdir()
    real.write_text(TEXT)
    real.chmod(0o600)
    path.symlink_to(real)
    with edit_cameras(path) as document:
        del document["cameras"][1]
    assert path.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o600
    assert [camera.name for camera in read_cameras(real).cameras] == ["front-door"]


def test_the_environment_adds_one_camera(tmp_path: Path) -> None:
    path = tmp_path / "cameras.yaml"
    path.write_text(TEXT)
    settings = read_settings(camera_source="/dev/video2", camera_name="usb", camera_fps=3)
    added = read_cameras(path, settings).find("usb")
    assert added is not None
    assert added.pipeline.fps == 3


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("rtsp://box/door", ("rtsp://box/door", None)),
        ("rtsps://${env:BOX}@box:8554/a/b", ("rtsps://box:8554/a/b", "${env:BOX}")),
        (
            "rtsp://${file:/run/secrets/box}@[::1]:1/d",
            ("rtsp://[::1]:1/d", "${file:/run/secrets/box}"),
        ),
    ],
)
def test_publish_to_is_an_address_and_perhaps_a_reference(
    text: str, parts: tuple[str, str | None]
) -> None:
    assert split_publish_to(text) == parts


@pytest.mark.parametrize(
    "text",
    ["rtsp://box", "http://box/door", "rtsp://user:secret@box/door", "rtsp://user@box/d", ""],
)
def test_publish_to_with_a_password_or_without_a_path_is_refused_unrepeated(text: str) -> None:
    with pytest.raises(BadCameras, match="publish_to") as refusal:
        parsed(f"cameras: [{{name: a, source: b.mp4, publish_to: '{text}'}}]")
    assert "secret" not in str(refusal.value)


def test_a_file_that_is_far_too_large_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "cameras.yaml"
    path.write_text("#" * 1_000_001)
    with pytest.raises(BadCameras, match="is larger than 1,000,000 bytes; is it another file"):
        read_cameras(path)


def test_a_pipe_in_place_of_the_file_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "cameras.yaml")
    with pytest.raises(BadCameras, match="is a pipe or device, which cannot be followed"):
        read_cameras(tmp_path / "cameras.yaml")
