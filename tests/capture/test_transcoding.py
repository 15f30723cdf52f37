import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import pytest

from camfleet_capture.codecs.h264 import parse_sps
from camfleet_capture.codecs.nal import split_start_codes
from camfleet_capture.stream import Stream
from camfleet_capture.transcode import transcoded
from camfleet_capture.transcode.encoding_process import EncodingProcess
from camfleet_capture.transcode.transcoded import TranscodedStream
from fakes_capture import (
    FPS,
    LENGTH,
    RunningCapture,
    camera_lines,
    capture_running,
    read_numbers,
    reading_options,
    write_clip,
    write_webcam_clip,
)
from waiting import wait_until

CLIPS: dict[str, tuple[str, dict[str, Any]]] = {
    "h265-b": ("mp4", {"codec": "libx265", "b_frames": 2}),
    "h264-422": ("mp4", {"pix_fmt": "yuv422p", "slices": 2}),
    "plain": ("mp4", {"b_frames": 2}),
}


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCapture]:
    folder = tmp_path_factory.mktemp("transcoding")
    clips = {
        name: str(write_clip(folder / f"{name}.{suffix}", **settings))
        for name, (suffix, settings) in CLIPS.items()
    }
    clips["webcam"] = str(write_webcam_clip(folder / "webcam.avi"))
    (folder / "cameras.yaml").write_text(camera_lines(**clips))
    with capture_running(folder / "cameras.yaml") as running:
        yield running


def follows(numbers: list[int]) -> bool:
    return all(b == (a + 1) % LENGTH for a, b in pairwise(numbers))


def children() -> list[int]:
    """Processes that this one's capture service has started to encode."""
    mine = f"\nPPid:\t{os.getpid()}\n"
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            is_mine = mine in (folder / "status").read_text()
            if is_mine and b"transcode.child" in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except OSError:  # it has just ended
            continue
    return found


def one_slice_420(url: str) -> bool:
    with av.open(url, options=reading_options(), timeout=(60, 60)) as container:
        packets = [packet for packet, _ in zip(container.demux(video=0), range(8), strict=False)]
    units = [split_start_codes(bytes(packet)) for packet in packets]
    slices = [[nal for nal in nals if nal[0] & 0x1F in {1, 5}] for nals in units]
    sets = [parse_sps(nal) for nals in units for nal in nals if nal[0] & 0x1F == 7]
    return {len(nals) for nals in slices} == {1} and all(s and s.chroma == 1 for s in sets)


@pytest.mark.parametrize("name", ["h265-b", "h264-422", "webcam"])
def test_h264_path_gives_every_picture_at_its_time_in_one_slice(
    capture: RunningCapture, name: str
) -> None:
    capture.wait_for(name, "LIVE")
    seen = read_numbers(capture.url(f"{name}-h264"), LENGTH + 5)
    assert follows(seen.numbers)
    assert max(abs(b - a - 1 / FPS) for a, b in pairwise(seen.times_s)) < 0.005
    assert one_slice_420(capture.url(f"{name}-h264"))


def test_what_every_reader_takes_is_passed_on_without_a_process(capture: RunningCapture) -> None:
    capture.wait_for("plain", "LIVE")
    seen = read_numbers(capture.url("plain-h264"), LENGTH)
    state = capture.state("plain")
    assert follows(seen.numbers)
    assert not state["h264"]["is_encoding"]
    assert state["codec"] == "h264"


def test_process_starts_with_the_first_reader_and_ends_after_the_last(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "clip.mp4", codec="libx265")
    file = tmp_path / "cameras.yaml"
    file.write_text(camera_lines(door=str(source)))
    with capture_running(file) as capture:
        capture.wait_for("door", "LIVE")
        before = set(children())
        url = capture.url("door-h264")
        with (
            av.open(url, options=reading_options(), timeout=(60, 60)) as one,
            av.open(url, options=reading_options("udp"), timeout=(60, 60)) as two,
        ):
            assert [next(reader.decode(video=0)).width for reader in (one, two)] == [320, 320]
            assert len(set(children()) - before) == 1
            assert capture.state("door")["h264"] == {
                "path": "door-h264",
                "readers": 2,
                "is_encoding": True,
                "fault": None,
            }
        wait_until(lambda: not set(children()) - before, 60, "no process")


def test_crash_of_the_process_costs_its_readers_some_pictures_and_nobody_else_any(
    tmp_path: Path,
) -> None:
    source = write_clip(tmp_path / "clip.mp4", codec="libx265")
    file = tmp_path / "cameras.yaml"
    file.write_text(camera_lines(door=str(source)))
    with capture_running(file) as capture:
        capture.wait_for("door", "LIVE")
        before = set(children())
        options = reading_options()
        with (
            av.open(capture.url("door-h264"), options=options, timeout=(60, 60)) as made,
            av.open(capture.url("door"), options=options, timeout=(60, 60)) as copied,
        ):
            pictures, packets = made.decode(video=0), copied.demux(video=0)
            next(pictures)
            os.kill(next(iter(set(children()) - before)), signal.SIGKILL)
            wait_until(lambda: capture.state("door")["h264"]["fault"], 60, "the fault")
            times = [next(packets).pts for _ in range(LENGTH)]
            last = max(next(pictures).time or 0 for _ in range(LENGTH))
            assert (next(pictures).time or 0) > last
        assert max(b - a for a, b in pairwise(t for t in times if t is not None)) <= 3003
        assert capture.state("door")["reconnects"] == 0


def test_camera_that_is_never_transcoded_says_so(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "clip.mp4", codec="libx265")
    file = tmp_path / "cameras.yaml"
    file.write_text(camera_lines(door=str(source)) + "    transcode: never\n")
    with capture_running(file) as capture:
        capture.wait_for("door", "LIVE")
        with pytest.raises(av.error.HTTPNotFoundError):
            av.open(capture.url("door-h264"), options=reading_options(), timeout=(60, 60))
        assert capture.state("door")["h264"]["path"] is None


def test_camera_that_is_always_transcoded_is_so_at_its_own_path_once_the_file_says_it(
    tmp_path: Path,
) -> None:
    source = write_clip(tmp_path / "clip.mp4", slices=2, b_frames=2)
    file = tmp_path / "cameras.yaml"
    file.write_text(camera_lines(door=str(source)))
    with capture_running(file) as capture:
        capture.wait_for("door", "LIVE")
        with av.open(capture.url("door"), options=reading_options(), timeout=(60, 60)) as reader:
            file.write_text(camera_lines(door=str(source)) + "    transcode: always\n")
            assert len(list(reader.demux(video=0))) > 0  # ends by itself
        assert one_slice_420(capture.url("door"))
        assert follows(read_numbers(capture.url("door"), LENGTH).numbers)
        assert capture.state("door")["reconnects"] == 0


@pytest.mark.parametrize("ends", ["sys.stdin.read()", "time.sleep(600)"], ids=["itself", "killed"])
def test_a_child_whose_pictures_nobody_takes_any_more_is_ended(ends: str) -> None:
    script = f"import sys, time; sys.stdout.write('.' * 1_000_000); sys.stdout.flush(); {ends}"

    async def start_and_end() -> int:
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            script,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(20):
            return await EncodingProcess(child).end()

    assert asyncio.run(start_and_end()) in {0, -signal.SIGKILL}


def test_who_asks_while_the_process_ends_has_another_one_started(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(transcoded, "_LINGER_S", 0.05)
    monkeypatch.setattr(transcoded, "_LOOK_S", 0.01)

    async def come_back() -> None:
        made = TranscodedStream(Stream("door", asyncio.get_running_loop()), lambda: 15, always=True)
        begun, is_ending, has_ended = asyncio.Semaphore(0), asyncio.Event(), asyncio.Event()

        async def make() -> None:
            begun.release()
            try:
                await asyncio.Event().wait()
            finally:
                is_ending.set()
                await has_ended.wait()

        monkeypatch.setattr(made, "_make", make)
        made.wake()
        await is_ending.wait()
        waiting = asyncio.create_task(made.wake().first_key(60))
        has_ended.set()
        async with asyncio.timeout(60):
            await begun.acquire()
            await begun.acquire()
        waiting.cancel()
        await made.close()

    asyncio.run(come_back())
