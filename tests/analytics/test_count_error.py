"""A count states its error: what it is made of, and that it holds on films nobody tuned for."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from camfleet.count_error import KEPT_S, PER_BREAK, BreakWatch, Doubt, doubt_of
from camfleet.lines import LineCounter, LineShape
from camfleet_contracts.cameras import Line, Pipeline
from fakes_analytics import standing_at
from offline_counting import analysed, without
from street_recordings import RECORDED, SIZE, Run, read_runs

GATE = Line.model_validate({"name": "gate", "from": [0, 0.68], "to": [1, 0.68]})
SIZE_SQUARE = (100, 100)


@dataclass(frozen=True, slots=True)
class Outcome:
    counted: int
    true: int
    stated: float

    @property
    def is_covered(self) -> bool:
        return abs(self.counted - self.true) <= self.stated


@pytest.fixture(scope="module")
def outcomes() -> list[Outcome]:
    """50 films of other seeds than those the weights were chosen on, each with its own losses."""
    return [outcome(run, losses_of(run.seed)) for run in read_runs(RECORDED / "street-50.xz")]


def outcome(run: Run, is_lost: Callable[[float], bool]) -> Outcome:
    analysis, _ = analysed(Pipeline(lines=(GATE,)), without(run.detections(), is_lost), SIZE)
    count = analysis.counts["gate"]
    return Outcome(count.entered + count.left, sum(run.truth.values()), count.error)


def losses_of(seed: int) -> Callable[[float], bool]:
    """By turns: no frame is lost, one of ten, three of ten, or all of five seconds."""
    chance = np.random.default_rng(seed)
    share = (0.0, 0.1, 0.3, 0.0)[seed % 4]
    out_s = float(chance.uniform(4, 14)) if seed % 4 == 3 else -5.0
    return lambda time_s: bool(chance.random() < share) or out_s <= time_s < out_s + 5


@pytest.mark.long
def test_stated_interval_covers_the_truth_in_nine_of_ten_films(outcomes: list[Outcome]) -> None:
    assert len(outcomes) == 50
    assert sum(one.is_covered for one in outcomes) >= 45, outcomes


@pytest.mark.long
def test_stated_interval_is_narrow_enough_to_be_of_use(outcomes: list[Outcome]) -> None:
    whole = outcomes[::4] + outcomes[1::4]  # the films with no or few frames lost
    assert np.median([one.stated / one.true for one in whole]) <= 0.15


@pytest.mark.long
def test_a_film_with_losses_states_more(outcomes: list[Outcome]) -> None:
    kinds = [np.median([one.stated / one.true for one in outcomes[kind::4]]) for kind in range(4)]
    assert kinds[2] > max(kinds[:2])
    assert kinds[3] > max(kinds[:2])


def test_nothing_counted_and_nothing_lost_leaves_no_doubt() -> None:
    watch = BreakWatch(Doubt())
    for step in range(50):
        watch.update([(1, False)], 0, step / 5)
    assert watch.doubt.error == 0


def test_track_that_breaks_beside_the_line_is_in_doubt_at_both_ends() -> None:
    whole, broken = BreakWatch(Doubt()), BreakWatch(Doubt())
    for step in range(20):
        whole.update([(1, 4 < step < 10)], int(step == 7), step / 5)
        broken.update([(1 if step < 7 else 2, 4 < step < 10)], int(step == 7), step / 5)
    assert broken.doubt.squared == pytest.approx(whole.doubt.squared + 2 * PER_BREAK)


def test_gap_adds_what_crosses_at_other_times() -> None:
    watch = BreakWatch(Doubt())
    for step in range(301):
        watch.update([], int(step % 10 == 5), step / 5)  # 30 in a minute
    watch.update([], 0, 60 + 20)
    assert watch.doubt.unseen == pytest.approx(10, rel=0.1)


@pytest.mark.parametrize(("gap_s", "is_doubted"), [(0.3, False), (0.7, True), (KEPT_S, True)])
def test_short_gaps_are_bridged(gap_s: float, is_doubted: bool) -> None:
    watch = BreakWatch(Doubt())
    for moment_s in (0.0, gap_s):
        watch.update([], 0, moment_s)
    assert (watch.doubt.unseen > 0) is is_doubted


def test_error_goes_on_from_what_was_stated_last() -> None:
    assert doubt_of(2.5).error == pytest.approx(2.5)


@pytest.mark.parametrize(("x", "breaks"), [(50, 1), (5, 1), (-40, 0)])
def test_only_what_stands_beside_the_line_itself_is_in_doubt(x: float, breaks: int) -> None:
    counter = LineCounter(LineShape("gate", (0.0, 0.5), (0.9, 0.5)))
    counter.update(standing_at((x, 55)), SIZE_SQUARE, 0.0)
    assert counter.count.doubt.squared == pytest.approx(PER_BREAK * breaks)
