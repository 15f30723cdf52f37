"""The slot between a camera's reader and its pipeline."""

from camfleet.video.frames import FrameSlot
from fakes_analytics import frame


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
