import io
import struct
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from PIL import Image

from camfleet_capture.access_unit import AccessUnit
from camfleet_capture.codecs import h265
from camfleet_capture.codecs.jpeg import BrokenJpeg, parse_jpeg
from camfleet_capture.codecs.nal import split_start_codes
from camfleet_capture.rtsp.packetiser import Packetiser
from camfleet_capture.rtsp.sdp import format_sdp

H265_KEY, H265_SLICE = bytes((19 << 1, 1)), bytes((1 << 1, 1))


def jpeg_of(size: tuple[int, int] = (64, 48), mode: str = "RGB", **settings: object) -> bytes:
    noise = np.random.default_rng(7).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).convert(mode).save(buffer, "JPEG", **settings)
    return buffer.getvalue()


def payloads(unit: AccessUnit) -> list[bytes]:
    packets = Packetiser(with_delimiter=False).packetise(unit).packets
    return [packet[12:] for packet in packets]


def h265_units() -> Iterator[AccessUnit]:
    encoder = VideoCodecContext.create("libx265", "w")
    encoder.width, encoder.height, encoder.pix_fmt = 322, 242, "yuv420p"
    encoder.framerate = Fraction(15)
    encoder.options = {"x265-params": "log-level=none:repeat-headers=1"}
    frame = VideoFrame(322, 242, "yuv420p")
    for packet in [*encoder.encode(frame), *encoder.encode(None)]:
        nals = split_start_codes(bytes(packet))
        yield AccessUnit(tuple(nals), packet.is_keyframe, 0, 0.0, codec="h265")


@pytest.mark.parametrize("size", [3, 1399, 1400, 1401, 2794, 2795, 2796, 2797, 60_000])
def test_h265_fragments_put_together_are_the_unit_again(size: int) -> None:
    nal = H265_KEY + bytes(n % 251 for n in range(size - 2))
    parts = payloads(AccessUnit((nal,), True, 0, 0.0, codec="h265"))
    if len(parts) > 1:
        assert {part[0] >> 1 & 0x3F for part in parts} == {49}
        assert [part[2] >> 6 for part in parts] == [2] + [0] * (len(parts) - 2) + [1]
        head = bytes((parts[0][0] & 0x81 | (parts[0][2] & 0x3F) << 1, parts[0][1]))
        parts = [head, *(part[3:] for part in parts)]
    assert b"".join(parts) == nal
    assert max(map(len, parts)) <= 1400


def test_h265_is_described_with_profile_and_all_parameter_sets() -> None:
    key = next(h265_units())
    sdp = format_sdp("door", key, "127.0.0.1")
    assert "a=rtpmap:96 H265/90000" in sdp
    assert "profile-space=0;profile-id=1;tier-flag=0;level-id=" in sdp
    assert all(f"{name}=" in sdp for name in ("sprop-vps", "sprop-sps", "sprop-pps"))
    sps = next(nal for nal in key.nals if h265.nal_type(nal) == h265.SPS)
    assert h265.picture_size(sps) == (322, 242)


def test_h265_garbage_is_no_parameter_set() -> None:
    for kind in (h265.VPS, h265.SPS, h265.PPS):
        nal = bytes((kind << 1, 1))
        assert h265.picture_size(nal) is None
        assert h265.parameter_set_id(nal) == 0
    assert h265.parse_profile(b"\x42\x01\x01") is None


@pytest.mark.parametrize("sampling", [1, 2], ids=["4:2:2", "4:2:0"])
def test_jpeg_packets_hold_tables_once_and_the_scan_in_order(sampling: int) -> None:
    jpeg = jpeg_of(subsampling=sampling, quality=80)
    picture = parse_jpeg(jpeg)
    assert (picture.width, picture.height, picture.obstacle) == (64, 48, "")
    parts = payloads(AccessUnit((jpeg,), True, 0, 0.0, codec="mjpeg"))
    assert [part[4:8] for part in parts] == [bytes((sampling - 1, 255, 8, 6))] * len(parts)
    assert struct.unpack("!BBH", parts[0][8:12]) == (0, 0, 128)
    assert parts[0][12:140] == b"".join(picture.tables)
    scan = b""
    for number, part in enumerate(parts):
        assert int.from_bytes(part[:4]) == len(scan)
        scan += part[8 if number else 140 :]
    assert scan == bytes(picture.scan)
    assert jpeg.endswith(scan + b"\xff\xd9")


def test_jpeg_with_restart_markers_says_so_in_every_packet() -> None:
    jpeg = jpeg_of(subsampling=2, restart_marker_blocks=4)
    parts = payloads(AccessUnit((jpeg,), True, 0, 0.0, codec="mjpeg"))
    assert {part[4] for part in parts} == {65}
    assert {part[8:12] for part in parts} == {struct.pack("!HH", 4, 0xFFFF)}


@pytest.mark.parametrize(
    ("jpeg", "obstacle"),
    [
        pytest.param(jpeg_of(subsampling=0), "sampling", id="4:4:4"),
        pytest.param(jpeg_of(mode="L"), "sampling", id="grey"),
        pytest.param(jpeg_of(progressive=True), "baseline", id="progressive"),
        pytest.param(jpeg_of(optimize=True), "Huffman", id="codes of its own"),
        pytest.param(jpeg_of((60, 48), subsampling=2), "multiple of 8", id="odd width"),
        pytest.param(jpeg_of((2048, 16), subsampling=2), "longer than 2040", id="too wide"),
    ],
)
def test_jpeg_that_rtp_cannot_carry_is_named(jpeg: bytes, obstacle: str) -> None:
    assert obstacle in parse_jpeg(jpeg).obstacle
    assert payloads(AccessUnit((jpeg,), True, 0, 0.0, codec="mjpeg")) == []


def test_no_part_of_a_jpeg_is_taken_for_a_picture() -> None:
    jpeg = jpeg_of(subsampling=2)
    for size in range(0, len(jpeg) - 1, 7):
        with pytest.raises(BrokenJpeg):
            parse_jpeg(jpeg[:size])


def test_no_scrambled_jpeg_is_more_than_broken_or_refused() -> None:
    chance = np.random.default_rng(7)
    jpeg = jpeg_of(subsampling=2)
    for _ in range(500):
        scrambled = bytearray(jpeg)
        for place in chance.integers(2, 640, 3):
            scrambled[place] = chance.integers(256)
        payloads(AccessUnit((bytes(scrambled),), True, 0, 0.0, codec="mjpeg"))


def test_delimiter_of_h265_follows_the_picture_and_mjpeg_needs_none() -> None:
    packetiser = Packetiser(with_delimiter=True)
    unit = AccessUnit((H265_SLICE + b"x",), False, 0, 0.0, 6000, "h265")
    assert packetiser.packetise(unit).packets[-1][12:] == b"\x46\x01\x50"
    jpeg = AccessUnit((jpeg_of(subsampling=2),), True, 0, 0.0, 6000, "mjpeg")
    *_, last = packetiser.packetise(jpeg).packets
    assert last[1] == 0x80 | 26
