"""One request while it is answered: what was called, and how it ended."""

import time
from types import TracebackType
from typing import NamedTuple, Protocol, Self


class Call(NamedTuple):
    """What was called, in the words of OVMS's labels."""

    api: str  # KServe, TensorFlowServing
    interface: str  # gRPC, REST
    method: str


class Counts(Protocol):
    """Where it is counted how requests ended."""

    def count_success(self, call: Call, model: str, version: int | None, elapsed_s: float) -> None:
        """Count a request that was answered."""

    def count_failure(self, call: Call, model: str, error: Exception) -> None:
        """Count a request that ended with an error."""


class Answer:
    """One request while it is answered: times it, and counts how it ended.

    Whoever answers sets `model` too: a model of one file is asked for by as many spellings of its
    path as clients like, and each would be a series.
    """

    __slots__ = ("_began_at", "_call", "_counts", "model", "version")

    def __init__(self, counts: Counts, call: Call, model: str) -> None:
        self.version: int | None = None  # that answers, when it is known
        self._counts = counts
        self._call = call
        self.model = model

    def __enter__(self) -> Self:
        """Begin to measure."""
        self._began_at = time.perf_counter()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Count the request; an error goes on."""
        if kind is None:
            elapsed_s = time.perf_counter() - self._began_at
            self._counts.count_success(self._call, self.model, self.version, elapsed_s)
        elif isinstance(error, Exception):
            self._counts.count_failure(self._call, self.model, error)
