import threading
import time
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import pytest

from camfleet_capture.access_unit import AccessUnit
from camfleet_capture.codecs import h264
from camfleet_capture.codecs.nal import split_start_codes
from camfleet_capture.rtsp.broadcast import (
    BACKLOG_LIMIT_BYTES,
    HOLD_BYTES,
    STALL_LIMIT_S,
    Broadcast,
    Reader,
)
from camfleet_capture.rtsp.packetiser import PacketGroup, Packetiser
from fakes_capture import (
    RunningCapture,
    camera_lines,
    capture_running,
    read_numbers,
    reading_options,
    write_clip,
)
from waiting import wait_until

IDR, SLICE = bytes([0x65]), bytes([0x41])


def unit(ticks: int, *, is_key: bool = False, size: int = 10) -> AccessUnit:
    return AccessUnit(((IDR if is_key else SLICE) + b"x" * size,), is_key, ticks, ticks / 90_000)


class CollectingOutput:
    """Takes everything, and has the backlog it is told to have."""

    def __init__(self) -> None:
        self.backlog_bytes = self.left_bytes = 0
        self.groups: list[PacketGroup] = []
        self.reports: list[bytes] = []

    def takes_at_once(self, _size_bytes: int) -> bool:
        return not self.backlog_bytes

    def send(self, group: PacketGroup) -> None:
        self.groups.append(group)

    def send_report(self, report: bytes) -> None:
        self.reports.append(report)

    def close(self) -> None:
        pass


class FakeStream:
    """Stands for a stream whose newest group is empty."""

    def __init__(self, group: list[AccessUnit] | None = None) -> None:
        self.group = group or []
        self.readers = self.dropped = 0
        self.lock = threading.RLock()

    def wait_for_loop(self) -> None:
        pass

    def listen(self, listener: object) -> None:
        pass

    def unlisten(self, listener: object) -> None:
        pass


def joined(stream: FakeStream) -> tuple[Broadcast, Reader, CollectingOutput, list[str]]:
    hung_up: list[str] = []
    output = CollectingOutput()
    reader = Reader(
        output, lambda: hung_up.append("hung up"), lambda: hung_up.append("after the rest")
    )
    broadcast = Broadcast(stream, with_delimiter=False)  # type: ignore[arg-type]  # a fake
    broadcast.join(reader, broadcast.prepare())
    return broadcast, reader, output, hung_up


def test_source_that_can_wait_waits_a_minute_for_a_reader_that_takes_nothing() -> None:
    broadcast, reader, output, hung_up = joined(FakeStream([unit(0, is_key=True)]))
    assert not broadcast.is_behind
    output.backlog_bytes = HOLD_BYTES + 1
    assert broadcast.is_behind
    assert hung_up == []
    reader.held_since = time.monotonic() - STALL_LIMIT_S - 1
    assert broadcast.is_behind
    assert hung_up == ["hung up"]


def test_source_that_can_wait_waits_for_a_slow_reader_as_long_as_it_takes_anything() -> None:
    broadcast, reader, output, hung_up = joined(FakeStream([unit(0, is_key=True)]))
    output.backlog_bytes, output.left_bytes = HOLD_BYTES + 1, 3_000_000
    assert broadcast.is_behind
    reader.held_since, output.left_bytes = time.monotonic() - STALL_LIMIT_S - 1, 2_900_000
    assert broadcast.is_behind
    assert hung_up == []


def test_slow_reader_skips_to_the_next_key_picture_after_it_has_drained() -> None:
    broadcast, _, output, _ = joined(FakeStream([unit(0, is_key=True)]))
    output.backlog_bytes = BACKLOG_LIMIT_BYTES + 1
    broadcast.deliver(unit(6000))
    broadcast.deliver(unit(12000, is_key=True))
    output.backlog_bytes = 0
    broadcast.deliver(unit(18000))
    broadcast.deliver(unit(24000, is_key=True))
    broadcast.deliver(unit(30000))
    assert [group.is_key for group in output.groups] == [True, True, False]


def test_reader_that_never_drains_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("camfleet_capture.rtsp.broadcast.STALL_LIMIT_S", -1.0)
    broadcast, _, output, hung_up = joined(FakeStream([unit(0, is_key=True)]))
    output.backlog_bytes = BACKLOG_LIMIT_BYTES + 1
    broadcast.deliver(unit(6000))
    broadcast.deliver(unit(12000))
    assert hung_up == ["hung up"]


def test_reader_without_a_group_to_begin_with_waits_for_a_key_picture() -> None:
    broadcast, _, output, _ = joined(FakeStream())
    broadcast.deliver(unit(0))
    broadcast.deliver(unit(6000, is_key=True))
    assert [group.is_key for group in output.groups] == [True]


@pytest.mark.parametrize("size", [1, 1399, 1400, 1401, 2795, 2796, 2797, 60_000])
def test_fragments_put_together_are_the_unit_again(size: int) -> None:
    nal = IDR + bytes(n % 251 for n in range(size))
    packets = Packetiser(with_delimiter=False).packetise(AccessUnit((nal,), True, 0, 0.0)).packets
    payloads = [packet[12:] for packet in packets]
    if len(payloads) > 1:
        head = bytes([payloads[0][0] & 0xE0 | payloads[0][1] & 0x1F])
        payloads = [head, *(payload[2:] for payload in payloads)]
    assert b"".join(payloads) == nal
    assert all(len(packet) <= 1412 for packet in packets)
    assert [packet[1] >> 7 for packet in packets] == [0] * (len(packets) - 1) + [1]


def test_frames_of_a_connection_hold_the_packets_under_its_channel() -> None:
    group = Packetiser(with_delimiter=True).packetise(
        AccessUnit((SLICE, IDR + b"x" * 3000), True, 0, 0.0, 6000)
    )
    framed, packets = group.framed(6), []
    while framed:
        assert framed[:2] == b"$\x06"
        end = 4 + int.from_bytes(framed[2:4])
        packets.append(framed[4:end])
        framed = framed[end:]
    assert tuple(packets) == group.packets
    assert group.count == len(packets) == 5
    assert group.octets == sum(len(packet) - 12 for packet in packets)


def test_sequence_numbers_have_no_gap_over_their_end() -> None:
    packetiser = Packetiser(with_delimiter=False)
    packetiser._next = 0xFFFE
    numbers = [packetiser.packetise(unit(n * 6000)).sequence for n in range(4)]
    assert numbers == [0xFFFE, 0xFFFF, 0, 1]


def test_delimiter_carries_the_time_of_the_next_unit() -> None:
    packetiser = Packetiser(with_delimiter=True)
    groups = [packetiser.packetise(unit(n * 6000)) for n in range(12)]
    last, delimiter = groups[-1].packets[-2:]
    assert delimiter[12:] == b"\x09\xf0"
    step = int.from_bytes(delimiter[4:8]) - int.from_bytes(last[4:8])
    assert step == 6000


@pytest.mark.parametrize("places", [(1, 2, 5, 6, 9, 10, 11, 14), (4, 8, 9, 13, 14, 15, 16, 20)])
def test_a_foretold_time_is_never_behind_that_of_the_next_unit(places: tuple[int, ...]) -> None:
    packetiser = Packetiser(with_delimiter=True)
    moments = [*range(-20, 0), *places]  # steady, then some are left out
    groups = [packetiser.packetise(unit(n * 6000)) for n in moments]
    times = [int.from_bytes(group.packets[-1][4:8]) for group in groups[12:]]
    shown = [int.from_bytes(group.packets[0][4:8]) for group in groups[13:]]
    assert all(foretold <= real for foretold, real in zip(times, shown, strict=False))


def test_no_delimiter_while_pictures_are_out_of_order() -> None:
    packetiser = Packetiser(with_delimiter=True)
    order = [0, 3, 1, 2, 6, 4, 5, 9, 7, 8, 12, 10, 11]
    groups = [packetiser.packetise(unit(n * 6000)) for n in order]
    assert {len(group.packets) for group in groups} == {1}


REAL_CLIPS = {
    "one-by-one-768x432": (768, 432),
    "highway-a-320x240": (320, 240),
    "crossing-a-1280x720": (1280, 720),
    "worker-zone-480x270": (480, 270),
    "bottles-640x360": (640, 360),
    "car-topdown-768x432": (768, 432),
}


@pytest.fixture(scope="module")
def real_clips(
    tmp_path_factory: pytest.TempPathFactory, shared_data: Path
) -> Iterator[RunningCapture]:
    clips = shared_data / "media" / "clips"
    file = tmp_path_factory.mktemp("real") / "cameras.yaml"
    file.write_text(camera_lines(**{name: str(clips / f"{name}.mp4") for name in REAL_CLIPS}))
    with capture_running(file) as running:
        yield running


@pytest.mark.parametrize("name", REAL_CLIPS)
def test_real_clip_is_copied_with_rising_times(real_clips: RunningCapture, name: str) -> None:
    state = real_clips.wait_for(name, "LIVE")
    options = reading_options(agent="camfleet")
    with av.open(real_clips.url(name), options=options, timeout=(60, 60)) as container:
        frames = container.decode(video=0)
        times = [next(frames).time for _ in range(20)]
    assert (state["codec"], state["width"], state["height"]) == ("h264", *REAL_CLIPS[name])
    stamped = [time for time in times if time is not None]
    assert len(stamped) > 10
    assert all(b > a for a, b in pairwise(stamped))


@pytest.mark.parametrize(
    ("size", "pix_fmt", "chroma"),
    [
        ((64, 64), "yuv420p", 1),
        ((322, 242), "yuv420p", 1),
        ((322, 241), "yuv422p", 2),
        ((321, 241), "yuv444p", 3),
    ],
)
def test_sps_tells_size_and_chroma(size: tuple[int, int], pix_fmt: str, chroma: int) -> None:
    context = av.video.codeccontext.VideoCodecContext.create("libx264", "w")
    context.width, context.height, context.pix_fmt = *size, pix_fmt
    context.options = {"x264-params": "log-level=none"}
    context.framerate = Fraction(15)
    frame = av.VideoFrame(*size, pix_fmt)
    coded = b"".join(bytes(packet) for packet in [*context.encode(frame), *context.encode(None)])
    nals = split_start_codes(coded)
    sps = next(nal for nal in nals if h264.nal_type(nal) == h264.SPS)
    picture = h264.parse_sps(sps)
    assert picture is not None
    assert (picture.width, picture.height, picture.chroma) == (*size, chroma)


def test_garbage_is_no_sps() -> None:
    assert h264.parse_sps(b"\x67") is None
    assert h264.parse_sps(b"\x67" + b"\0" * 40) is None


def test_stream_of_another_size_after_the_file_was_replaced(tmp_path: Path, clip: Path) -> None:
    source = write_clip(tmp_path / "clip.mp4", pictures=10, group=5)
    file = tmp_path / "cameras.yaml"
    file.write_text(camera_lines(one=str(source)))
    with capture_running(file) as capture:
        capture.wait_for("one", "LIVE")
        (tmp_path / "next.mp4").write_bytes(clip.read_bytes())
        (tmp_path / "next.mp4").rename(source)
        wait_until(lambda: capture.state("one")["loops"] >= 2, 60, "the new file")
        assert max(read_numbers(capture.url("one"), 30).numbers) > 20
        assert capture.state("one")["reconnects"] == 0
