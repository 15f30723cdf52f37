"""Viewers of a live camera: nobody costs nothing, a slow one goes on at a key frame."""

import asyncio
from typing import Any

import pytest

from camfleet.service.live.camera import LiveCamera
from camfleet.service.live.muxer import Fragment, StreamHeader
from camfleet.service.live.viewer import Message, Refusal, Viewer, offer_to_all
from fakes_live import ClipPlan, make_clip, push_clip

HEADER = StreamHeader("avc1.64001f", 320, 180, 15.0, 0.0, b"init")


def fragment(number: int, *, is_key: bool = False, size: int = 10) -> Fragment:
    return Fragment(HEADER, bytes(size), is_key, start_s=float(number))


async def queue(messages: list[Message]) -> Viewer:
    viewer = Viewer(asyncio.get_running_loop())
    offer_to_all((viewer,), messages)
    await asyncio.sleep(0)
    return viewer


def test_nothing_is_muxed_while_nobody_watches() -> None:
    camera = LiveCamera("door")
    push_clip(camera, make_clip(ClipPlan()))
    assert camera._sequence._muxer is None
    assert camera._sequence._fragments == []


def test_a_fragment_wakes_the_loop_once_however_many_watch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def show_to_eight() -> tuple[int, list[Message | None]]:
        camera, loop = LiveCamera("door"), asyncio.get_running_loop()
        viewers = [camera.watch(loop) for _ in range(8)]
        woken, wake = list[object](), loop.call_soon_threadsafe

        def counted(*call: Any) -> asyncio.Handle:
            woken.append(call)
            return wake(*call)

        monkeypatch.setattr(loop, "call_soon_threadsafe", counted)
        push_clip(camera, make_clip(ClipPlan(frames=3, gop=3)))
        return len(woken), [await asyncio.wait_for(one.take(), 60) for one in viewers]

    wake_ups, first = asyncio.run(show_to_eight())
    assert wake_ups == 3
    assert len({id(one) for one in first}) == 1  # one fragment in memory for all


def test_muxing_ends_with_the_last_viewer() -> None:
    async def come_and_go() -> LiveCamera:
        camera = LiveCamera("door")
        viewers = [camera.watch(asyncio.get_running_loop()) for _ in range(2)]
        push_clip(camera, make_clip(ClipPlan()))
        for viewer in viewers:
            camera.unwatch(viewer)
        return camera

    camera = asyncio.run(come_and_go())
    assert camera.viewers == 0
    assert camera._sequence._muxer is None


def test_all_viewers_share_one_muxing() -> None:
    async def both() -> list[list[Message]]:
        camera = LiveCamera("door")
        viewers = [camera.watch(asyncio.get_running_loop()) for _ in range(2)]
        push_clip(camera, make_clip(ClipPlan()))
        await asyncio.sleep(0)
        return [list(viewer._waiting) for viewer in viewers]

    first, second = asyncio.run(both())
    assert [id(message) for message in first] == [id(message) for message in second]


def test_a_viewer_begins_with_a_key_frame() -> None:
    messages: list[Message] = [fragment(1), fragment(2, is_key=True), fragment(3)]
    viewer = asyncio.run(queue(messages))
    assert list(viewer._waiting) == messages[1:]


@pytest.mark.parametrize(("size", "count"), [(10, 200), (2**20, 20)], ids=["frames", "bytes"])
def test_a_slow_viewer_goes_on_at_the_next_key_frame(size: int, count: int) -> None:
    late: list[Message] = [fragment(n, is_key=n == 0, size=size) for n in range(count)]
    fresh: list[Message] = [fragment(count, is_key=True), fragment(count + 1)]
    viewer = asyncio.run(queue([*late, *fresh]))
    assert list(viewer._waiting) == fresh
    assert viewer.dropped == count


def test_a_camera_that_goes_away_ends_its_viewers() -> None:
    async def remove() -> Message | None:
        camera = LiveCamera("door")
        viewer = camera.watch(asyncio.get_running_loop())
        camera.close()
        return await asyncio.wait_for(viewer.take(), 60)

    assert asyncio.run(remove()) is None


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (ClipPlan(codec="mjpeg", pixel_format="yuvj420p", container="matroska"), "MJPEG"),
        (ClipPlan(pixel_format="yuv422p"), "yuv422p"),
    ],
    ids=["mjpeg", "4:2:2"],
)
def test_what_browsers_do_not_play_is_said_in_words(plan: ClipPlan, words: str) -> None:
    async def refused() -> Message | None:
        camera = LiveCamera("door")
        push_clip(camera, make_clip(plan))
        return await asyncio.wait_for(camera.watch(asyncio.get_running_loop()).take(), 60)

    message = asyncio.run(refused())
    assert isinstance(message, Refusal)
    assert words in message.reason


def test_old_frames_are_not_shown_after_the_connection_is_lost() -> None:
    async def lost() -> int:
        camera = LiveCamera("door")
        push_clip(camera, make_clip(ClipPlan()))
        camera.push_end()
        viewer = camera.watch(asyncio.get_running_loop())
        await asyncio.sleep(0)
        return len(viewer._waiting)

    assert asyncio.run(lost()) == 0


def test_who_comes_while_the_camera_is_removed_is_told_that_it_ended() -> None:
    async def come_too_late() -> tuple[Message | None, bytes | None]:
        camera, loop = LiveCamera("door"), asyncio.get_running_loop()
        camera.close()
        viewer, watcher = camera.watch(loop), camera.pictures.watch(loop)
        async with asyncio.timeout(60):
            return await viewer.take(), await watcher.take()

    assert asyncio.run(come_too_late()) == (None, None)
