"""The word to end reaches who waits for it, and who asks later."""

import threading

from camfleet_capture.stop import StopSignal

PATIENCE_S = 60.0


def test_who_waits_is_told_at_once() -> None:
    stop, told = StopSignal(), list[bool]()
    thread = threading.Thread(target=lambda: told.append(stop.wait()), name="source")
    thread.start()
    stop.set()
    thread.join(PATIENCE_S)
    assert told == [True]


def test_it_stays_said_for_all_who_ask_and_may_be_said_again() -> None:
    stop = StopSignal()
    assert not stop.is_set()
    assert not stop.wait(0.0)
    stop.set()
    stop.set()
    assert stop.is_set()
    assert [stop.wait(PATIENCE_S), stop.wait(0.0), stop.wait()] == [True] * 3
