"""What a camera costs, as its pipeline notes it down and /v1/status tells it."""

import pytest

from camfleet.inference.detector import Detected
from camfleet.service.ledger import Ledger
from camfleet.video.connection import ReaderCounts
from fakes_analytics import boxes, served


def answered(duration_s: float) -> Detected:
    return Detected(boxes(), served(), duration_s, scale_s=0.001)


def test_frames_that_repeat_an_answer_cost_no_request() -> None:
    ledger = Ledger()
    for duration_s in (0.02, 0.0, 0.0):
        ledger.note(answered(duration_s), track_s=0.002)
    assert ledger.asked == 1
    assert (ledger.scale_s, ledger.request_s) == (0.001, 0.02)
    assert ledger.track_s == pytest.approx(0.006)


def test_queue_is_what_requests_take_beyond_the_quickest() -> None:
    ledger = Ledger()
    for duration_s in (0.02, 0.05, 0.02):
        ledger.note(answered(duration_s), track_s=0.0)
    assert ledger.queue_s == pytest.approx(0.03)


def test_facts_are_per_frame_that_goes_there() -> None:
    ledger, counts = Ledger(), ReaderCounts(decoded=30, decode_s=0.09)
    for duration_s in (0.02, 0.0):
        ledger.note(answered(duration_s), track_s=0.004)
    assert ledger.facts(counts, analysed=2) == {
        "decode_ms": 3.0,
        "scale_ms": 1.0,
        "request_ms": 20.0,
        "queue_ms": 0.0,
        "track_ms": 4.0,
    }


def test_processor_time_of_both_threads_is_told() -> None:
    ledger = Ledger()
    ledger.note(answered(0.02), track_s=0.0)
    threads = ledger.threads(ReaderCounts(thread_s=1.5))
    assert threads["reader"] == 1.5
    assert threads["pipeline"] > 0


def test_camera_that_was_asked_nothing_costs_nothing() -> None:
    assert set(Ledger().facts(ReaderCounts(), analysed=0).values()) == {0.0}
