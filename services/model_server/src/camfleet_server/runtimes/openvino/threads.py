"""Whether a tiny model needs more than one thread: measured, as no property of it tells."""

import time
from collections.abc import Callable

_TINY_S = 300e-6  # what takes longer gains more from threads than handing over to them costs
_HOPELESS_S = 10 * _TINY_S
_TRIES = 5
_ROUNDS = 20
_TOLERANCE = 1.05

Clock = Callable[[], float]


def is_tiny(infer: Callable[[], object], clock: Clock = time.perf_counter) -> bool:
    """Tell whether an inference is over at once; others may hold up a few tries."""
    for _ in range(_TRIES):
        took_s = _timed(infer, clock)
        if took_s <= _TINY_S or took_s > _HOPELESS_S:
            return took_s <= _TINY_S
    return False


def is_no_slower(
    infer: Callable[[], object], than: Callable[[], object], clock: Clock = time.perf_counter
) -> bool:
    """Compare by turns, so that whatever else happens meets both."""
    own, other = [], []
    for _ in range(_ROUNDS):
        own.append(_timed(infer, clock))
        other.append(_timed(than, clock))
    return min(own) <= min(other) * _TOLERANCE


def _timed(infer: Callable[[], object], clock: Clock) -> float:
    began_at = clock()
    infer()
    return clock() - began_at
