"""How long the answers on a connection take, which decides about the thread that gives them."""

import math
import time
from collections.abc import Callable

_QUICK_S = 0.005
_LONE_QUICK_S = 0.01  # while nothing else comes by the connection
_TRUSTED = 3  # quick answers in a row, before the reading thread answers
_TINY_S = 0.0002  # handing the interpreter round costs as much
_PROMPT_S = 0.002  # on average; the shortest answer shows what nobody else's work delayed
_COUNTED = 32
_SAMPLED = 8  # one of so many is measured in the thread's own time: asking costs a microsecond
_DISTRUSTED = 2048  # answers until one that kept its neighbours waiting may do so again


class Pace:
    """What the last answers took; a value that two threads spoil once in a while does no harm."""

    __slots__ = (
        "_counted",
        "_enough",
        "_quick",
        "_shortest_s",
        "_took_s",
        "_worked_s",
        "is_prompt",
        "is_shared",
        "is_tiny",
    )

    def __init__(self) -> None:
        self.is_tiny = False  # so little work that threads would cost more
        self.is_prompt = True  # and without waiting; among many threads this cannot be told
        self.is_shared = False  # something else came while the last answer that took long was made
        self._quick = 0  # in a row
        self._enough = _COUNTED
        self._shortest_s = math.inf
        self._begin()

    @property
    def is_quick(self) -> bool:
        """Tell whether handing an answer to another thread is likely to cost more than it."""
        return self._quick >= _TRUSTED

    @staticmethod
    def is_long(began_at: float) -> bool:
        """Tell whether what was begun (`time.perf_counter`) holds up others for long by now."""
        return time.perf_counter() - began_at >= _QUICK_S

    def note(self, took_s: float) -> None:
        """Take note of one more answer."""
        most_s = _QUICK_S if self.is_shared else _LONE_QUICK_S
        self._quick = self._quick + 1 if took_s < most_s else 0

    def time(self, answer: Callable[[], None]) -> None:
        """Give an answer and take note of how long it took; the reading thread."""
        began_at = time.perf_counter()
        if self._counted % _SAMPLED:
            answer()
        else:
            worked_s = -time.thread_time()
            answer()
            self._worked_s += worked_s + time.thread_time()
        self._note_own(time.perf_counter() - began_at)

    def _note_own(self, took_s: float) -> None:
        self.note(took_s)
        self._counted += 1
        self._took_s += took_s
        self._shortest_s = min(self._shortest_s, took_s)
        if self._counted >= self._enough:
            self.is_tiny = self._worked_s * _SAMPLED < _TINY_S * self._counted
            is_prompt = self._took_s < _PROMPT_S * self._counted
            self.is_prompt = is_prompt and self._shortest_s < _TINY_S
            self._enough = _COUNTED
            self._begin()

    def trust(self) -> None:
        """Begin to watch it by itself: no threads want the interpreter at the same time."""
        self.is_prompt = True
        self._begin()

    def distrust(self) -> None:
        """Take it for slow over many answers to come."""
        self.is_tiny = False
        self._enough = _DISTRUSTED
        self._begin()

    def _begin(self) -> None:
        self._counted = 0
        self._took_s = self._worked_s = 0.0
        self._shortest_s = math.inf
