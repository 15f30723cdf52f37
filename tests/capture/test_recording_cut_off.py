"""Files of a recording after a kill, on a full disk, with a clock that was set."""

from itertools import islice
from pathlib import Path
from threading import Event
from types import SimpleNamespace

import pytest

from camfleet_capture.recording.clips import cut_clip, picture_at
from camfleet_capture.recording.ring import Ring, Segment
from camfleet_capture.recording.segment import SegmentWriter
from camfleet_capture.sources.video_file import VideoFile
from fakes_capture import FPS
from recordings import recorded_numbers

GROUP, GROUPS = 15, 4


@pytest.fixture
def recorded(clip: Path, tmp_path: Path) -> bytes:
    """A file of four groups of pictures."""
    source = VideoFile(clip, real_time=False)
    units = list(islice(source.units(Event()), GROUP * GROUPS))
    source.close()
    writer = SegmentWriter(tmp_path / "whole.mp4", units[0])
    for start in range(0, len(units), GROUP):
        writer.write(units[start : start + GROUP])
    writer.close()
    return writer.path.read_bytes()


def seconds_taken_up(folder: Path, content: bytes) -> float:
    """Return how much of such a file the next start knows; -1: it is gone."""
    folder.mkdir(exist_ok=True)
    (folder / "1000.part.mp4").write_bytes(content)
    ring = Ring(folder, 10**9)
    ring.open()
    for path in folder.iterdir():
        path.unlink()
    return max((one.ends_at - one.started_at for one in ring.segments), default=-1.0)


def test_all_that_came_before_the_cut_is_kept_wherever_it_is(
    recorded: bytes, tmp_path: Path
) -> None:
    sizes = range(0, len(recorded) + 1, 37)
    lengths_s = [seconds_taken_up(tmp_path / "door", recorded[:size]) for size in sizes]
    assert lengths_s == sorted(lengths_s)
    assert lengths_s[0] == -1.0
    assert lengths_s[-1] == pytest.approx((GROUP * GROUPS - 1) / FPS, abs=0.01)


def test_a_file_that_cannot_be_read_now_is_not_thrown_away(
    recorded: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(url: str) -> None:
        raise OSError(24, "Too many open files", url)

    cut_off = tmp_path / "1000.part.mp4"
    cut_off.write_bytes(recorded)
    ring = Ring(tmp_path, 10**9)
    with monkeypatch.context() as patch:
        patch.setattr("camfleet_capture.recording.ring.av.open", refuse)
        ring.open()
    assert cut_off.read_bytes() == recorded
    ring.open()
    assert len(ring.segments) == 1


def test_a_clock_that_was_set_back_mixes_nothing_up(recorded: bytes, tmp_path: Path) -> None:
    length_s = (GROUP * GROUPS - 1) / FPS
    path = tmp_path / "whole.mp4"
    before, after = (Segment(path, at, at + length_s, len(recorded)) for at in (5000.0, 1000.0))
    times = cut_clip([before, after], 1000.0, 5001.5, tmp_path / "clip.mp4")
    assert times == pytest.approx((1000.0, 5000.0 + length_s), abs=0.6)
    assert picture_at([before, after], 5001.0) == picture_at([before], 5001.0)


def test_a_time_that_came_twice_is_shown_once(recorded: bytes, tmp_path: Path) -> None:
    length_s = (GROUP * GROUPS - 1) / FPS
    path, clip = tmp_path / "whole.mp4", tmp_path / "clip.mp4"
    first = Segment(path, 1000.0, 1000.0 + length_s, len(recorded))
    anew = Segment(path, 1000.0 + 1 / FPS, 1000.0 + 2 / FPS, len(recorded))
    cut_clip([first, anew], 1000.0, 1000.0 + length_s, clip)
    assert len(recorded_numbers(clip.read_bytes())) == GROUP * GROUPS
    moment = 1000.0 + length_s / 2
    assert picture_at([first, anew], moment) == picture_at([first], moment)


def test_the_oldest_files_go_one_at_a_time_while_the_disk_is_nearly_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for start in (1000, 2000, 3000):
        (tmp_path / f"{start}-{start + 900}.mp4").touch()
    ring, free, left = Ring(tmp_path, 10**9), iter([10, 10, 90]), []
    ring.open()

    def disk(_: Path) -> SimpleNamespace:  # tells late that a deletion made room
        return SimpleNamespace(f_blocks=1000, f_frsize=1, f_bavail=next(free))

    monkeypatch.setattr("camfleet_capture.recording.ring.os.statvfs", disk)
    for _ in range(3):
        ring.make_room(0)
        left.append([one.started_at for one in ring.segments])
    assert left == [[2.0, 3.0], [3.0], [3.0]]
    assert [path.name for path in tmp_path.iterdir()] == ["3000-3900.mp4"]
