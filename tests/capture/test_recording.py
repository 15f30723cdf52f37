"""Recording: files bounded by size, clips without a wrong picture, faults that cost little."""

import errno
import io
import time
from pathlib import Path

import av
import httpx
import pytest

from camfleet_capture.recording import recorders
from camfleet_capture.recording.recorder import Recorder
from camfleet_capture.recording.ring import Ring
from camfleet_capture.recording.segment import SegmentWriter
from fakes_capture import (
    FPS,
    LENGTH,
    RunningCapture,
    camera_lines,
    capture_running,
    number_of,
    write_clip,
)
from recordings import (
    RECORDING,
    WAIT_S,
    is_counting,
    recorded_numbers,
    told,
    unix,
    wait_for_seconds,
)
from waiting import wait_until


def test_clip_has_every_picture_of_its_time_once(recording: RunningCapture) -> None:
    start, end = wait_for_seconds(recording, 4)
    wanted = start + 1.2, start + 3.2
    answer = recording.get(f"/cameras/door/clip?from={wanted[0]}&to={wanted[1]}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "video/mp4"
    numbers = recorded_numbers(answer.content)
    assert is_counting(numbers, 30)
    covered = unix(answer.headers["x-clip-from"]), unix(answer.headers["x-clip-to"])
    assert covered[0] <= wanted[0] < wanted[1] - 0.1 <= covered[1] <= end
    assert len(numbers) == pytest.approx((covered[1] - covered[0]) * 30 + 1, abs=1)


def test_pictures_that_wait_for_later_ones_are_recorded_right(b_clip: Path, tmp_path: Path) -> None:
    file = tmp_path / "cameras.yaml"
    file.write_text(camera_lines(door=str(b_clip)) + RECORDING)
    with capture_running(file, recordings_dir=tmp_path / "recordings") as capture:
        start, _ = wait_for_seconds(capture, 3)
        answer = capture.get(f"/cameras/door/clip?from={start + 0.5}&to={start + 2.5}")
    assert is_counting(recorded_numbers(answer.content), 30)


def test_picture_of_a_moment_is_the_one_that_showed(recording: RunningCapture) -> None:
    start, _ = wait_for_seconds(recording, 2)
    state = recording.state("door")
    numbers = []
    for moment in (start + 0.51, start + 0.51 + 10 / 30):
        answer = recording.get(f"/cameras/door/snapshot.jpg?at={moment}")
        assert answer.status_code == 200, answer.text
        with av.open(io.BytesIO(answer.content), "r") as picture:
            numbers.append(number_of(next(picture.decode(video=0))))
    assert (numbers[1] - numbers[0]) % 30 == pytest.approx(10, abs=1)
    assert state["recording"]["state"] == "RECORDING"


def test_the_picture_of_this_moment_is_waited_for(recording: RunningCapture) -> None:
    start, _ = wait_for_seconds(recording, 1)
    numbers = []
    for moment in (time.time(), start + 0.51):
        answer = recording.get(f"/cameras/door/snapshot.jpg?at={moment}")
        assert answer.status_code == 200, answer.text
        with av.open(io.BytesIO(answer.content), "r") as picture:
            numbers.append((number_of(next(picture.decode(video=0))), moment))
    (now, now_s), (then, then_s) = numbers
    assert (now - then - round((now_s - then_s) * FPS)) % LENGTH in {LENGTH - 1, 0, 1}


def test_camera_without_recording_says_how_to_have_one(clip: Path, tmp_path: Path) -> None:
    file = tmp_path / "cameras.yaml"
    file.write_text(camera_lines(door=str(clip)))
    with capture_running(file, recordings_dir=tmp_path / "recordings") as capture:
        capture.wait_for("door", "LIVE")
        answer = capture.get("/cameras/door/clip?from=1&to=2")
        assert (answer.status_code, "camfleet camera record door" in answer.text) == (404, True)
        assert capture.state("door")["recording"] is None
    assert not (tmp_path / "recordings").exists()


def test_recording_is_started_and_ended_while_running(clip: Path, tmp_path: Path) -> None:
    file = tmp_path / "cameras.yaml"
    file.write_text(camera_lines(door=str(clip)))
    with capture_running(file, recordings_dir=tmp_path / "recordings") as capture:
        capture.wait_for("door", "LIVE")
        reconnects = capture.state("door")["reconnects"]
        file.write_text(camera_lines(door=str(clip)) + RECORDING)
        wait_for_seconds(capture, 1)
        file.write_text(camera_lines(door=str(clip)))
        wait_until(lambda: capture.state("door")["recording"] is None, WAIT_S, "no recording")
        assert capture.state("door")["reconnects"] == reconnects
    names = [path.name for path in (tmp_path / "recordings" / "door").iterdir()]
    assert names
    assert not any("part" in name for name in names)


def test_recording_that_could_not_be_started_is_started_by_itself(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, faults = Recorder.start, [RuntimeError("can't start new thread")]

    def fail_once(recorder: Recorder) -> None:
        if faults:
            raise faults.pop()
        start(recorder)

    monkeypatch.setattr(Recorder, "start", fail_once)
    monkeypatch.setattr(recorders, "_PAUSE_S", 0.01)
    file = tmp_path / "cameras.yaml"
    file.write_text(camera_lines(one=str(clip)) + "    recording: {}\n")
    with capture_running(file, recordings_dir=tmp_path / "kept") as capture:
        wait_until(lambda: capture.state("one")["recording"], 60, "the recording")
    assert not faults


def test_what_a_kill_cut_off_is_there_after_the_next_start(clip: Path, tmp_path: Path) -> None:
    file = tmp_path / "cameras.yaml"
    file.write_text(camera_lines(door=str(clip)) + "    recording: {segment_s: 600}\n")
    folder = tmp_path / "recordings"
    with capture_running(file, recordings_dir=folder) as capture:
        wait_for_seconds(capture, 3)
        cut_off = next((folder / "door").glob("*.part.mp4"))
        content = cut_off.read_bytes()  # as it lies on the disk in the middle of the recording
    for path in (folder / "door").iterdir():
        path.unlink()
    cut_off.write_bytes(content[:-100])
    (folder / "door" / "999.part.mp4").write_bytes(b"")
    ring = Ring(folder / "door", 10**9)
    ring.open()
    assert len(ring.segments) == 1
    assert ring.segments[0].ends_at - ring.segments[0].started_at > 1
    assert len(list((folder / "door").iterdir())) == 1


def test_oldest_files_go_when_the_bound_is_reached(tmp_path: Path) -> None:
    ring = Ring(tmp_path / "door", 2500)
    ring.open()
    for number in range(5):
        path = ring.path_for(number)
        path.write_bytes(b"." * 1000)
        ring.add(path, number, number + 1)
        ring.make_room(400)
    assert [segment.started_at for segment in ring.segments] == [3, 4]
    assert sorted(path.name for path in ring.folder.iterdir()) == ["3000-4000.mp4", "4000-5000.mp4"]


def test_full_disk_costs_the_oldest_file_and_then_pictures(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "cameras.yaml"
    file.write_text(camera_lines(door=str(clip)) + RECORDING)
    with capture_running(file, recordings_dir=tmp_path / "recordings") as capture:
        wait_for_seconds(capture, 3)

        def full(*_: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(SegmentWriter, "write", full)
            state = wait_until(
                lambda: now if (now := told(capture))["state"] == "FAILED" else None,
                WAIT_S,
                "the fault",
            )
            assert "No space left on device" in state["reason"]
            assert state["lost_frames"] > 0
            assert capture.state("door")["state"] == "LIVE"
        wait_until(lambda: told(capture)["state"] == "RECORDING", WAIT_S, "it goes on")


def test_recordings_have_metrics(recording: RunningCapture) -> None:
    wait_for_seconds(recording, 1)
    text = recording.get("/metrics").text
    assert 'camfleet_capture_recording_bytes{camera="door"}' in text
    assert 'camfleet_capture_recording_lost_frames_total{camera="door"} 0.0' in text


def test_mjpeg_and_h265_are_recorded_as_they_are(tmp_path: Path) -> None:
    sources = {
        "webcam": write_clip(tmp_path / "m.mkv", codec="mjpeg", pix_fmt="yuvj420p"),
        "modern": write_clip(tmp_path / "h.mp4", codec="libx265", group=10),
    }
    file = tmp_path / "cameras.yaml"
    lines = camera_lines(**{name: str(path) for name, path in sources.items()})
    file.write_text(
        lines.replace("\n  - name: modern", f"\n{RECORDING}  - name: modern") + RECORDING
    )
    with capture_running(file, recordings_dir=tmp_path / "recordings") as capture:
        for name, codec in (("webcam", "mjpeg"), ("modern", "hevc")):

            def clip_of(name: str = name) -> httpx.Response | None:
                now = time.time()
                answer = capture.get(f"/cameras/{name}/clip?from={now - 5}&to={now}")
                return answer if answer.status_code == 200 else None

            content = wait_until(clip_of, WAIT_S, f"a clip of {name}").content
            assert is_counting(recorded_numbers(content), 30)
            with av.open(io.BytesIO(content), "r") as container:
                assert container.streams.video[0].codec_context.name == codec
