"""The slot between a camera's reader and its pipeline."""

import threading

from camfleet.video.frames import Frame, FrameSlot
from fakes_analytics import frame
from waiting import wait_until


def put_all(slot: FrameSlot, *frames: Frame) -> threading.Thread:
    """Put them in a thread, which ends when there was room for all."""

    def put() -> None:
        for one in frames:
            slot.put(one)

    thread = threading.Thread(target=put)
    thread.start()
    return thread


def test_newer_frame_replaces_one_that_nobody_took() -> None:
    slot = FrameSlot()
    slot.put(frame(0))
    slot.put(frame(1))
    taken = slot.take(0)
    assert taken is not None
    assert (taken.number, slot.replaced, slot.skipped) == (1, 1, 0)
    assert slot.take(0) is None


def test_frame_that_is_not_wanted_is_counted_and_replaces_nothing() -> None:
    slot = FrameSlot()
    slot.wants = lambda offered: offered.number % 3 == 0
    for number in range(3):
        slot.put(frame(number))
    taken = slot.take(0)
    assert taken is not None
    assert (taken.number, slot.replaced, slot.skipped) == (0, 0, 2)


def test_slot_that_keeps_all_makes_the_writer_wait() -> None:
    slot = FrameSlot(keeps_all=True)
    writer = put_all(slot, *map(frame, range(5)))
    taken = [wait_until(lambda: slot.take(1), 60, "a frame").number for _ in range(5)]
    writer.join(60)
    assert taken == [0, 1, 2, 3, 4]
    assert (slot.replaced, writer.is_alive()) == (0, False)


def test_closed_slot_lets_its_writer_go() -> None:
    slot = FrameSlot(keeps_all=True)
    writer = put_all(slot, frame(0), frame(1))
    slot.close()
    writer.join(60)
    assert not writer.is_alive()
