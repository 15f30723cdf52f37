"""version_labels.json as it is edited while the server runs."""

from pathlib import Path

import pytest

from camfleet_server.reload.labels import LabelFiles, Labels

STABLE_3 = Labels({"stable": 3})


class Clock:
    """Time that only tests move."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "version_labels.json"


def test_half_written_file_is_no_fault_and_leaves_the_former_labels(path: Path) -> None:
    clock = Clock()
    files = LabelFiles(clock)
    path.write_text('{"stable": 3}')
    assert files.read(path.parent) == STABLE_3
    path.write_text("")
    assert files.read(path.parent) == STABLE_3
    assert files.is_settling
    path.write_text('{"stable": 4}')
    assert files.read(path.parent) == Labels({"stable": 4})
    assert not files.is_settling


def test_file_that_stays_bad_is_a_fault_and_leaves_the_former_labels(path: Path) -> None:
    clock = Clock()
    files = LabelFiles(clock)
    path.write_text('{"stable": 3}')
    files.read(path.parent)
    path.write_text("")
    files.read(path.parent)
    clock.now = 0.3
    refused = files.read(path.parent)
    assert refused.versions == {"stable": 3}
    assert "Expecting value: line 1 column 1 (char 0); the former labels stay" in refused.fault
    path.write_text('{"stable": 0}')
    assert files.read(path.parent) == refused
    clock.now = 0.6
    assert "'stable' must be the number of a version, got 0" in files.read(path.parent).fault


def test_file_that_goes_takes_its_labels_along(path: Path) -> None:
    files = LabelFiles(Clock())
    path.write_text("not JSON")
    files.read(path.parent)
    assert files.is_settling
    path.unlink()
    assert files.read(path.parent) == Labels()
    assert not files.is_settling
