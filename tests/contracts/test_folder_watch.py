"""Folders that are watched: whatever happens in them is told, and nothing ends the watching."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from camfleet_contracts.folder_watch import FolderWatch

LIMIT_S = 60.0


class Bell:
    """Hears the watch."""

    def __init__(self) -> None:
        self._rung = threading.Event()

    def ring(self) -> None:
        self._rung.set()

    def expect(self, what: str) -> None:
        """Fail unless it rings within the limit."""
        assert self._rung.wait(LIMIT_S), what
        self._rung.clear()

    def expect_silence(self, what: str) -> None:
        """Fail if it rings within a moment."""
        assert not self._rung.wait(0.3), what

    def settle(self) -> None:
        """Wait until it rings no more."""
        while self._rung.wait(0.2):
            self._rung.clear()


@contextmanager
def watching(*folders: Path, is_recursive: bool = True) -> Iterator[tuple[FolderWatch, Bell]]:
    bell = Bell()
    watch = FolderWatch(bell.ring, name="test-watcher", is_recursive=is_recursive)
    watch.start()
    watch.follow(folders)
    bell.expect("the folders to be taken over")
    bell.settle()
    try:
        yield watch, bell
    finally:
        watch.stop()


def test_changes_in_folders_made_later_are_told(tmp_path: Path) -> None:
    with watching(tmp_path) as (_, bell):
        folder = tmp_path / "model" / "1"
        folder.mkdir(parents=True)
        bell.expect("new folders")
        bell.settle()
        (folder / "model.xml").write_text("")
        bell.expect("a file in a new folder")
        bell.settle()
        folder.rename(tmp_path / "model" / "2")
        bell.expect("the new name of a folder")
        bell.settle()
        (tmp_path / "model" / "2" / "model.xml").unlink()
        bell.expect("a file deleted in a renamed folder")


def test_reading_is_no_change(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("content")
    with watching(tmp_path) as (_, bell):
        assert (tmp_path / "file").read_text() == "content"
        assert list(tmp_path.iterdir())
        bell.settle()  # nothing keeps it ringing
        (tmp_path / "file").write_text("other")
        bell.expect("a file written anew")


def test_folders_that_come_and_go_and_return_end_no_watching(tmp_path: Path) -> None:
    volume, elsewhere = tmp_path / "volume", tmp_path / "elsewhere"
    volume.mkdir()
    elsewhere.mkdir()
    with watching(volume) as (_, bell):
        for number in range(50):
            folder = volume / f"m{number}"
            (folder / ".1.tmp" / "deep").mkdir(parents=True)
            (folder / ".1.tmp").rename(folder / "1")
            shutil.rmtree(folder)
        (volume / "a").mkdir()
        (volume / "a").rename(elsewhere / "a")  # its watch goes with it
        (volume / "a").mkdir()
        (volume / "a").rmdir()
        (elsewhere / "a").rmdir()
        bell.settle()
        (volume / "last").write_text("")
        bell.expect("a file after all that")


def test_a_folder_made_anew_under_its_name_is_watched_again(tmp_path: Path) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    with watching(folder) as (watch, bell):
        folder.rmdir()
        bell.expect("the folder gone")
        watch.follow([folder])
        bell.settle()
        folder.mkdir()
        watch.follow([folder])
        bell.expect("the folder taken over again")
        bell.settle()
        (folder / "config.json").write_text("{}")
        bell.expect("a file in the new folder")


def test_a_folder_no_longer_followed_is_not_told(tmp_path: Path) -> None:
    former, present = tmp_path / "former", tmp_path / "present"
    former.mkdir()
    present.mkdir()
    with watching(former) as (watch, bell):
        watch.follow([present, tmp_path / "missing", Path("x\0y")])
        bell.expect("other folders taken over")
        bell.settle()
        (former / "file").write_text("")
        bell.expect_silence("a file in a folder no longer followed")
        (present / "file").write_text("")
        bell.expect("a file in the folder that is followed")


def test_without_recursion_only_the_folder_itself_counts(tmp_path: Path) -> None:
    below = tmp_path / "below"
    below.mkdir()
    with watching(tmp_path, is_recursive=False) as (_, bell):
        (below / "file").write_text("")
        bell.expect_silence("a file in a folder below")
        (tmp_path / "cameras.yaml").write_text("")
        bell.expect("a file in the folder")


def test_where_the_kernel_has_no_watch_left_polling_has_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(_: object) -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr("camfleet_contracts.folder_watch._Inotify.__init__", refuse)
    watch = FolderWatch(lambda: None, name="test-watcher")
    watch.start()
    watch.follow([tmp_path])
    watch.stop()
    assert "polls instead of watching reason=[Errno 24] Too many open files" in caplog.text
