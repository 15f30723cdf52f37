"""The codec string and shape that browsers are told come from the stream's own header."""

import pytest

from camfleet.service.live.nal import SPS, kind_of, split_annexb, split_extradata
from camfleet.service.live.sps import SequenceParameters, parse_sps
from fakes_live import ClipPlan, demuxed, make_clip


def parameters_of(plan: ClipPlan) -> SequenceParameters:
    with demuxed(make_clip(plan)) as source:
        units = split_annexb(bytes(source.packets[0]))
    return parse_sps(next(unit for unit in units if kind_of(unit) == SPS))


@pytest.mark.parametrize(
    "size",
    [(320, 180), (322, 182), (640, 360), (1920, 1080)],
    ids=["cropped", "odd", "wide", "full"],
)
def test_size_is_that_of_the_shown_picture(size: tuple[int, int]) -> None:
    known = parameters_of(ClipPlan(frames=15, size=size))
    assert (known.width, known.height) == size


@pytest.mark.parametrize(
    ("pixel_format", "prefix"),
    [("yuv420p", "avc1.64"), ("yuv422p", "avc1.7a"), ("yuv444p", "avc1.f4")],
)
def test_codec_names_the_profile(pixel_format: str, prefix: str) -> None:
    assert parameters_of(ClipPlan(pixel_format=pixel_format)).codec.startswith(prefix)


@pytest.mark.parametrize(("b_frames", "depth"), [(0, 0), (1, 1), (3, 2)])
def test_reorder_depth_is_read(b_frames: int, depth: int) -> None:
    assert parameters_of(ClipPlan(b_frames=b_frames)).reorder_depth == depth


def test_parameter_sets_of_both_packagings_are_the_same() -> None:
    with demuxed(make_clip(ClipPlan(container="mp4"))) as packed:
        inside = split_extradata(bytes(packed.stream.codec_context.extradata or b""))
    with demuxed(make_clip(ClipPlan())) as source:
        in_band = split_annexb(bytes(source.packets[0]))
    assert len(inside) == 2
    assert {kind_of(unit) for unit in inside} == {7, 8}
    assert inside[0][:4] == next(unit for unit in in_band if kind_of(unit) == SPS)[:4]


def test_codec_string_of_a_known_header() -> None:
    header = bytes.fromhex("67428016da0180361a6d0a0c0a0d0a1ac3")
    assert parse_sps(header).codec == "avc1.428016"


def test_a_broken_header_costs_no_time_and_no_error() -> None:
    head = bytes([0x67, 66, 0, 30])
    endless_cycle = int("1" + "1" + "010" + "0" + "1" + "1" + "0" * 31 + "1" * 32 + "0" * 10, 2)
    parse_sps(head + endless_cycle.to_bytes(11, "big"))
