"""What viewers receive is MP4 that plays: every frame once, at its own time."""

import asyncio
import io
from pathlib import Path

import av
import pytest

from camfleet.service.live.camera import LiveCamera
from camfleet.service.live.muxer import Fragment, StreamHeader
from camfleet.service.live.viewer import Message, Viewer
from fakes_live import ClipPlan, demuxed, make_clip, push_clip

PLANS = {
    "annexb": ClipPlan(),
    "avcc": ClipPlan(container="mp4"),
    "b-frames": ClipPlan(b_frames=3),
    "matroska": ClipPlan(b_frames=2, container="matroska"),
}


def fragments_of(viewer: Viewer) -> list[Fragment]:
    return [message for message in viewer._waiting if isinstance(message, Fragment)]


async def watch_clips(*clips: bytes) -> list[Fragment]:
    """The fragments of one viewer who was there from the start."""
    camera = LiveCamera("door")
    viewer = camera.watch(asyncio.get_running_loop())
    seen: list[Fragment] = []
    for clip in clips:
        push_clip(camera, clip)
        await asyncio.sleep(0)
        seen += fragments_of(viewer)
        viewer._waiting.clear()
    return seen


def headers_of(fragments: list[Fragment]) -> list[StreamHeader]:
    return list({id(fragment.header): fragment.header for fragment in fragments}.values())


def play(fragments: list[Fragment]) -> list[float]:
    """Decode the fragments as MP4; the frames' times in the camera's own clock."""
    header = fragments[0].header
    film = header.init + b"".join(fragment.payload for fragment in fragments)
    with av.open(io.BytesIO(film), "r") as container:
        return [header.t0 + float(frame.time or 0.0) for frame in container.decode(video=0)]


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS.keys())
def test_every_frame_plays_at_its_own_time(plan: ClipPlan) -> None:
    clip = make_clip(plan)
    fragments = asyncio.run(watch_clips(clip))
    with demuxed(clip) as source:
        assert play(fragments) == pytest.approx(source.show_times_s, abs=0.0001)
    assert len(fragments) == plan.frames


def test_real_footage_plays_at_its_own_time(shared_data: Path) -> None:
    clip = (shared_data / "media/clips/worker-zone-480x270.mp4").read_bytes()
    fragments = asyncio.run(watch_clips(clip))
    with demuxed(clip) as source:
        assert play(fragments) == pytest.approx(source.show_times_s, abs=0.0001)


def test_a_fragment_needs_no_following_frame() -> None:
    async def first_frame() -> int:
        camera = LiveCamera("door")
        viewer = camera.watch(asyncio.get_running_loop())
        with demuxed(make_clip(ClipPlan())) as source:
            camera.push_stream(source.stream)
            camera.push_packet(source.packets[0])
        await asyncio.sleep(0)
        return len(fragments_of(viewer))

    assert asyncio.run(first_frame()) == 1


def test_header_tells_codec_size_and_rate() -> None:
    header = asyncio.run(watch_clips(make_clip(ClipPlan())))[0].header
    assert header.codec.startswith("avc1.64")
    assert (header.width, header.height, header.fps) == (320, 180, 15)


def test_a_new_connection_begins_a_new_stream() -> None:
    clip = make_clip(ClipPlan())
    assert len(headers_of(asyncio.run(watch_clips(clip, clip)))) == 2


def test_another_picture_size_is_another_init_segment() -> None:
    small, large = make_clip(ClipPlan()), make_clip(ClipPlan(size=(640, 360)))
    first, second = headers_of(asyncio.run(watch_clips(small, large)))
    assert (first.width, second.width) == (320, 640)
    assert first.init != second.init


def test_new_parameter_sets_within_a_connection_begin_a_new_stream() -> None:
    async def change_in_mid_stream() -> list[Fragment]:
        camera = LiveCamera("door")
        viewer = camera.watch(asyncio.get_running_loop())
        push_clip(camera, make_clip(ClipPlan()))
        with demuxed(make_clip(ClipPlan(size=(640, 360)))) as source:
            for packet in source.packets:
                camera.push_packet(packet)
        await asyncio.sleep(0)
        return fragments_of(viewer)

    assert [header.width for header in headers_of(asyncio.run(change_in_mid_stream()))] == [
        320,
        640,
    ]


def test_time_stamps_that_jump_back_begin_a_new_stream() -> None:
    async def jump() -> list[Fragment]:
        camera = LiveCamera("door")
        viewer = camera.watch(asyncio.get_running_loop())
        with demuxed(make_clip(ClipPlan(frames=42))) as source:
            camera.push_stream(source.stream)
            for packet in source.packets * 2:
                camera.push_packet(packet)
        await asyncio.sleep(0)
        return fragments_of(viewer)

    assert len(headers_of(asyncio.run(jump()))) == 2


def test_who_comes_later_begins_at_the_last_key_frame() -> None:
    async def come_later() -> list[Message]:
        camera = LiveCamera("door")
        push_clip(camera, make_clip(ClipPlan(frames=40, gop=15)))
        viewer = camera.watch(asyncio.get_running_loop())
        await asyncio.sleep(0)
        return list(viewer._waiting)

    (first,) = asyncio.run(come_later())
    assert isinstance(first, Fragment)
    assert first.is_key
    assert len(play([first])) == 10
    assert play([first])[0] == pytest.approx(first.header.t0 + first.start_s)


def test_a_group_that_is_too_long_is_not_kept_and_watchers_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("camfleet.service.live.sequence._MOST_UNITS", 10)

    async def watch_a_long_group() -> tuple[int, list[Message]]:
        camera = LiveCamera("door")
        early = camera.watch(asyncio.get_running_loop())
        push_clip(camera, make_clip(ClipPlan(frames=30, gop=100)))
        late = camera.watch(asyncio.get_running_loop())
        await asyncio.sleep(0)
        return len(fragments_of(early)), list(late._waiting)

    seen, kept = asyncio.run(watch_a_long_group())
    assert seen == 30
    assert kept == []
