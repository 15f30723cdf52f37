"""Clips and pictures cut out of a recording, and why some cannot be had."""

import errno
import io
import os
import tempfile
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import pytest

from camfleet_capture.recording.clips import NotRecorded, cut_clip, picture_at
from camfleet_capture.recording.recorder import Recorder
from camfleet_capture.recording.ring import Ring, Segment
from camfleet_capture.recording.segment import SegmentWriter
from fakes_capture import (
    FPS,
    LENGTH,
    RunningCapture,
    camera_lines,
    capture_running,
    number_of,
)
from recordings import (
    WAIT_S,
    is_counting,
    recorded_numbers,
    told,
    wait_for_seconds,
)
from waiting import wait_until


def test_the_last_picture_of_a_file_shows_until_the_next_file_begins(
    recording: RunningCapture,
) -> None:
    folder = recording.file.parent / "recordings" / "door"

    def finished() -> list[list[float]]:
        names = sorted(path.stem.split("-") for path in folder.glob("*-*.mp4"))
        return [[int(milliseconds) / 1000 for milliseconds in name] for name in names]

    wait_until(lambda: len(finished()) >= 2, WAIT_S, "two files")
    (_, end), (start, _) = finished()[:2]
    numbers = []
    for moment in (end + 0.002, (end + start) / 2, start + 0.002):
        answer = recording.get(f"/cameras/door/snapshot.jpg?at={moment}")
        assert answer.status_code == 200, answer.text
        with av.open(io.BytesIO(answer.content), "r") as picture:
            numbers.append(number_of(next(picture.decode(video=0))))
    assert numbers[0] == numbers[1]
    assert numbers[2] == (numbers[0] + 1) % 30


def test_a_moment_in_a_gap_of_the_recording_has_no_picture() -> None:
    apart = [Segment(Path("a"), 10.0, 12.0, 1), Segment(Path("b"), 20.0, 22.0, 1)]
    for moment in (9.0, 13.0, 23.0):
        with pytest.raises(NotRecorded):
            picture_at(apart, moment)


def test_a_file_that_is_being_finished_can_be_read(
    recording: RunningCapture, monkeypatch: pytest.MonkeyPatch
) -> None:
    closing, may_close = threading.Event(), threading.Event()
    close = SegmentWriter.close

    def close_slowly(writer: SegmentWriter) -> None:
        closing.set()
        may_close.wait(WAIT_S)
        close(writer)

    monkeypatch.setattr(SegmentWriter, "close", close_slowly)
    try:
        assert closing.wait(WAIT_S)
        kept = told(recording)
        assert kept["from"], kept
        answer = recording.get(f"/cameras/door/clip?from={kept['from']}&to={kept['to']}")
    finally:
        may_close.set()
    assert answer.status_code == 200, answer.text


def test_a_file_that_gets_its_last_name_meanwhile_is_read_under_it(
    recording: RunningCapture, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, _ = wait_for_seconds(recording, 2)
    listed: property = vars(Recorder)["segments"]
    former = iter(["former name"])

    def renamed_once(recorder: Recorder) -> tuple[Segment, ...]:
        segments: tuple[Segment, ...] = listed.__get__(recorder)
        name = next(former, None)
        return tuple(
            replace(one, path=one.path.with_name(name or one.path.name)) for one in segments
        )

    monkeypatch.setattr(Recorder, "segments", property(renamed_once))
    answer = recording.get(f"/cameras/door/snapshot.jpg?at={start + 0.5}")
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("query", "status", "reason"),
    [
        ("to=1", 400, "from is missing"),
        ("from=yesterday", 400, "not an RFC 3339 or Unix time"),
        ("from=2026-01-01T00:00:00", 400, "needs a time zone"),
        ("from=10&to=5", 400, "from before to"),
        ("from=10&to=5000", 400, "up to 600 s apart"),
        ("from=10&to=20", 404, "nothing of that time is recorded; there is 20"),
    ],
)
def test_clips_that_cannot_be_had_say_why(
    recording: RunningCapture, query: str, status: int, reason: str
) -> None:
    wait_for_seconds(recording, 0.5)
    answer = recording.get(f"/cameras/door/clip?{query}")
    assert (answer.status_code, reason in answer.text) == (status, True), answer.text


def test_clips_are_cut_beside_the_recording_and_leave_nothing_there(
    recording: RunningCapture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    start, end = wait_for_seconds(recording, 1)
    monkeypatch.setattr("tempfile.gettempdir", full)  # memory, in containers
    answer = recording.get(f"/cameras/door/clip?from={start}&to={end}")
    left = [path for path in recording.file.parent.rglob("recordings/**/*") if path.is_file()]
    assert recorded_numbers(answer.content)
    assert all(path.suffix == ".mp4" and path.name[0].isdigit() for path in left)


@pytest.mark.parametrize("is_room", [True, False], ids=["elsewhere", "nowhere"])
def test_a_clip_needs_room_beside_the_recording_or_among_temporary_files(
    recording: RunningCapture, monkeypatch: pytest.MonkeyPatch, *, is_room: bool
) -> None:
    made = tempfile.TemporaryFile

    def made_where_there_is_room(dir: Path) -> Any:  # noqa: A002 - as the library calls it
        if is_room and "recordings" not in dir.parts:
            return made(dir=dir)
        raise OSError(errno.EROFS, "Read-only file system")

    start, end = wait_for_seconds(recording, 1)
    monkeypatch.setattr(tempfile, "TemporaryFile", made_where_there_is_room)
    answer = recording.get(f"/cameras/door/clip?from={start}&to={end}")
    assert answer.status_code == (200 if is_room else 503)
    assert is_room or "no room in" in answer.json()["error"]


def test_a_file_that_a_full_disk_cut_off_gives_whole_pictures_only(
    clip: Path, tmp_path: Path
) -> None:
    file = tmp_path / "cameras.yaml"
    file.write_text(camera_lines(door=str(clip)) + "    recording: {segment_s: 600}\n")
    with capture_running(file, recordings_dir=tmp_path / "recordings") as capture:
        wait_for_seconds(capture, 2)
    ring = Ring(tmp_path / "recordings" / "door", 10**9)
    ring.open()
    [whole] = ring.segments
    whole.path.rename(ring.path_for(whole.started_at))
    os.truncate(ring.path_for(whole.started_at), whole.size_bytes * 3 // 4)
    ring.open()
    [rest] = ring.segments
    cut_clip(ring.segments, rest.started_at, rest.ends_at + 5, tmp_path / "clip.mp4")
    numbers = recorded_numbers((tmp_path / "clip.mp4").read_bytes())
    assert is_counting(numbers, LENGTH)
    assert rest.ends_at - rest.started_at == pytest.approx((len(numbers) - 1) / FPS, abs=0.01)
