from pathlib import Path

import pytest

from camfleet_contracts.cameras_watch import CamerasWatch
from camfleet_contracts.settings import read_settings

ONE = "cameras:\n  - {name: one, source: 'demo:street'}\n"
TWO = ONE + "  - {name: two, source: 'demo:street'}\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "cameras.yaml"
    file.write_text(ONE)
    return file


@pytest.fixture
def watch(path: Path) -> CamerasWatch:
    return CamerasWatch(path, read_settings())


def names(watch: CamerasWatch) -> list[str] | None:
    cameras = watch.look()
    return None if cameras is None else [camera.name for camera in cameras.cameras]


def test_the_file_is_read_at_the_first_look_and_not_again(watch: CamerasWatch) -> None:
    assert names(watch) == ["one"]
    assert names(watch) is None
    assert not watch.is_settling


def test_a_change_is_read_once_it_looks_the_same_twice(watch: CamerasWatch, path: Path) -> None:
    watch.look()
    path.write_text("")  # as an editor does before it writes
    assert names(watch) is None
    assert watch.is_settling
    path.write_text(TWO)
    assert [names(watch), names(watch)] == [None, ["one", "two"]]


def test_a_bad_file_is_a_fault_until_it_is_good_again(watch: CamerasWatch, path: Path) -> None:
    watch.look()
    path.write_text("cameras: [")
    assert [names(watch), names(watch)] == [None, None]
    assert watch.fault is not None
    assert "cameras.yaml:1: not valid YAML" in watch.fault
    assert "last good state stays" in watch.fault
    path.write_text(TWO)
    assert [names(watch), names(watch)] == [None, ["one", "two"]]
    assert watch.fault is None


def test_a_file_that_was_emptied_is_a_fault_and_ends_no_camera(
    watch: CamerasWatch, path: Path
) -> None:
    watch.look()
    path.write_text("# nothing\n")
    assert [names(watch), names(watch)] == [None, None]
    assert watch.fault is not None
    assert "write `cameras: []` to mean none; the last good state stays" in watch.fault
    path.write_text("cameras: []\n")
    assert [names(watch), names(watch)] == [None, []]


def test_a_file_may_be_empty_at_the_start(path: Path) -> None:
    path.write_text("")
    assert names(CamerasWatch(path, read_settings())) == []


def test_a_missing_file_says_so_and_is_read_when_it_comes(watch: CamerasWatch, path: Path) -> None:
    path.unlink()
    assert names(watch) is None
    assert watch.fault is not None
    assert "create it or fix the path" in watch.fault
    path.write_text(ONE)
    assert [names(watch), names(watch)] == [None, ["one"]]


def test_what_could_not_be_followed_is_read_again_at_growing_intervals(path: Path) -> None:
    now = 0.0
    watch = CamerasWatch(path, read_settings(), clock=lambda: now)
    read_at = []
    for tick in range(100):
        now = float(tick)
        if watch.look():
            read_at.append(tick)
            watch.put_off("RuntimeError: no more threads")
    assert read_at == [0, 1, 3, 7, 15, 31, 61, 91]
    reason = "RuntimeError: no more threads; it is tried again by itself"
    assert watch.fault == f"{path}: not followed: {reason}"


def test_an_edit_is_read_at_once_while_another_try_is_waited_for(path: Path) -> None:
    watch = CamerasWatch(path, read_settings(), clock=lambda: 0.0)
    watch.look()
    watch.put_off("RuntimeError: no more threads")
    path.write_text(TWO)
    assert [names(watch), names(watch)] == [None, ["one", "two"]]
    watch.followed()
    assert watch.fault is None
