"""Folders of images, shown as a film."""

import os
import shutil
import threading
from pathlib import Path

import pytest
from PIL import Image

from camfleet_capture.errors import SourceMissing, SourceUnreadable
from camfleet_capture.sources.table import SourceAddress, open_source
from camfleet_contracts.capturing import Capturing
from fakes_capture import (
    camera_lines,
    capture_running,
    numbered_picture,
    read_numbers,
)
from waiting import wait_until


def test_folder_of_images_is_shown_picture_by_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("camfleet_capture.sources.image_folder.SHOWN_S", 0.4)
    folder = tmp_path / "images"
    folder.mkdir()
    for number in (3, 4):
        Image.fromarray(numbered_picture(number)).save(folder / f"{number}.png")
    file = tmp_path / "cameras.yaml"
    file.write_text(camera_lines(one=str(folder)))
    with capture_running(file) as capture:
        capture.wait_for("one", "LIVE")
        seen = read_numbers(capture.url("one"), 5)
    assert set(seen.numbers) == {3, 4}


@pytest.fixture
def folder_with_faults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Images 2 and 3, one file that is not an image before them, and one behind."""
    monkeypatch.setattr("camfleet_capture.sources.image_folder.SHOWN_S", 0.4)
    folder = tmp_path / "images"
    folder.mkdir()
    os.mkfifo(folder / "1.png")
    (folder / "4.png").write_bytes(b"no picture")
    for number in (2, 3):
        Image.fromarray(numbered_picture(number)).save(folder / f"{number}.png")
    return folder


def test_an_image_that_cannot_be_read_costs_itself_and_is_named(
    tmp_path: Path, folder_with_faults: Path
) -> None:
    file = tmp_path / "cameras.yaml"
    file.write_text(camera_lines(one=str(folder_with_faults)))
    with capture_running(file) as capture:
        capture.wait_for("one", "LIVE")
        seen = read_numbers(capture.url("one"), 12)
        assert set(seen.numbers) == {2, 3}
        state = capture.wait_for("one", "LIVE")
    assert state["reconnects"] == 0
    told = "folder images: cannot read 1.png, 4.png; replace or remove what is not an image"
    assert state["reason"] == told


def test_each_round_of_a_folder_shows_what_it_holds_then(
    tmp_path: Path, folder_with_faults: Path
) -> None:
    file = tmp_path / "cameras.yaml"
    file.write_text(camera_lines(one=str(folder_with_faults)))
    with capture_running(file) as capture:
        wait_until(lambda: "4.png" in str(capture.state("one")["reason"]), 60, "the reason")
        (folder_with_faults / "1.png").unlink()
        Image.fromarray(numbered_picture(5)).save(folder_with_faults / "5.png")
        (folder_with_faults / "5.png").replace(folder_with_faults / "4.png")
        wait_until(lambda: capture.state("one")["reason"] is None, 60, "nothing to say")
        assert set(read_numbers(capture.url("one"), 12).numbers) == {2, 3, 5}


def test_folder_that_goes_while_it_is_shown_says_so(folder_with_faults: Path) -> None:
    address = SourceAddress(
        str(folder_with_faults), Path("/"), capturing=Capturing(real_time=False)
    )
    source = open_source(address)
    shutil.rmtree(folder_with_faults)
    with pytest.raises(SourceMissing, match=r"folder images: No such file.*; check the path"):
        list(source.units(threading.Event()))


def test_folder_without_a_readable_image_says_so(tmp_path: Path) -> None:
    (tmp_path / "one.png").write_bytes(b"no picture")
    with pytest.raises(SourceUnreadable, match="none of its images can be read; replace them"):
        open_source(SourceAddress(str(tmp_path), tmp_path))
