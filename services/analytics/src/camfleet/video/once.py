"""What several ask about one picture is worked out once."""

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")


class Once:
    """Answers about one picture, kept as long as it is. Thread-safe.

    Who asks while an answer is being worked out waits for it, and gets the failure where there is
    one. A failure is not kept: who asks later tries anew.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: dict[Hashable, Future[Any]] = {}

    def ask(self, question: Hashable, work_out: Callable[[], T]) -> tuple[T, bool]:
        """The answer, and whether it was worked out by this call."""
        with self._lock:
            found: Future[T] | None = self._answers.get(question)
            if found is None:
                self._answers[question] = Future()
        if found is None:
            return self._work_out(question, work_out), True
        try:
            return found.result(), False
        finally:
            del found  # an error in it holds on to this call, and so to the picture

    def _work_out(self, question: Hashable, work_out: Callable[[], T]) -> T:
        try:
            answer = work_out()
        except BaseException as error:
            with self._lock:
                waited_for = self._answers.pop(question)
            waited_for.set_exception(error)
            del waited_for
            raise
        self._answers[question].set_result(answer)
        return answer
