"""Counts of a demo camera beside the truth of the same time, also after restarts."""

from typing import Any

from camfleet.lines import LineCount
from camfleet.service.truth_counts import TruthCounts

FIRST, SECOND = "2026-11-20T18:00:00.000Z", "2026-11-20T18:05:00.000Z"


def told(started_at: str, time_s: float, *crossings: tuple[str, float]) -> dict[str, Any]:
    return {
        "started_at": started_at,
        "time_s": time_s,
        "lines": {"gate": {}},
        "crossings": [{"line": "gate", "direction": way, "time_s": at} for way, at in crossings],
    }


def total(entered: int, left: int) -> dict[str, LineCount]:
    return {"gate": LineCount(entered, left)}


def row(entered: int, left: int) -> dict[str, dict[str, int]]:
    return {"gate": {"in": entered, "out": left}}


def test_both_count_from_the_first_look() -> None:
    counts = TruthCounts()
    counts.compare(told(FIRST, 9.0, ("in", 3.0)), total(40, 31))
    both = counts.compare(told(FIRST, 12.0, ("in", 3.0), ("in", 10.0)), total(41, 31))
    assert both == (row(1, 0), row(1, 0))


def test_no_crossing_counts_twice() -> None:
    counts = TruthCounts()
    counts.compare(told(FIRST, 0.0), total(0, 0))
    for _ in range(3):
        both = counts.compare(told(FIRST, 5.0, ("out", 4.0)), total(0, 1))
    assert both == (row(0, 1), row(0, 1))


def test_restarted_scene_begins_both_anew() -> None:
    counts = TruthCounts()
    counts.compare(told(FIRST, 0.0), total(0, 0))
    counts.compare(told(FIRST, 60.0, ("in", 50.0)), total(7, 3))
    anew = counts.compare(told(SECOND, 2.0, ("in", 1.0)), total(7, 3))
    assert anew == (row(0, 0), row(1, 0))
    assert counts.compare(told(SECOND, 4.0, ("in", 1.0)), total(8, 3)) == (row(1, 0), row(1, 0))


def test_restarted_service_compares_from_its_own_first_look() -> None:
    first = TruthCounts()
    first.compare(told(FIRST, 0.0), total(0, 0))
    restarted = TruthCounts()
    crossed = (("in", 50.0), ("out", 61.0))
    assert restarted.compare(told(FIRST, 65.0, *crossed), total(7, 3)) == (row(0, 0), row(0, 0))
    both = restarted.compare(told(FIRST, 70.0, *crossed, ("out", 69.0)), total(7, 4))
    assert both == (row(0, 1), row(0, 1))


def test_a_scene_whose_old_crossings_are_forgotten_keeps_them_counted() -> None:
    counts = TruthCounts()
    counts.compare(told(FIRST, 0.0), total(0, 0))
    counts.compare(told(FIRST, 9.0, ("in", 5.0), ("out", 8.0)), total(1, 1))
    both = counts.compare(told(FIRST, 20.0, ("out", 8.0), ("in", 19.0)), total(2, 1))
    assert both == (row(2, 1), row(2, 1))
