"""Vectors of pictures whose identity is known."""

import random
import threading
from collections.abc import Hashable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from camfleet.errors import BadArgument
from camfleet.results.identities import ReIdentificationPrediction

DropMethod = Literal["drop_random", "drop_oldest"]

_METHODS = ("drop_random", "drop_oldest")


class Gallery:
    """Thread-safe. Without a limit it keeps every vector."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._vectors: dict[Hashable, list[NDArray[np.float32]]] = {}
        self._limit: int | None = None
        self._method: str = _METHODS[0]
        self._random = random.Random(0)  # noqa: S311 - which picture goes is no secret

    def set_limit(self, count: int, drop_method: str) -> None:
        """Keep so many vectors an identity, now and from now on; raises BadArgument."""
        if count < 1:
            raise BadArgument(f"gallery limit is {count}, expected 1 and more")
        if drop_method not in _METHODS:
            raise BadArgument(f"drop_method is {drop_method!r}, expected {' or '.join(_METHODS)}")
        with self._lock:
            self._limit, self._method = count, drop_method
            for vectors in self._vectors.values():
                self._shorten(vectors)

    def add(self, identity: Hashable, vector: NDArray[np.float32]) -> None:
        """Keep one vector (D,) of length 1."""
        with self._lock:
            vectors = self._vectors.setdefault(identity, [])
            vectors.append(vector)
            self._shorten(vectors)

    def remove(self, identity: Hashable) -> None:
        """Forget an identity, if it is known."""
        with self._lock:
            self._vectors.pop(identity, None)

    def counts(self) -> dict[Hashable, int]:
        """How many vectors each identity has."""
        with self._lock:
            return {identity: len(vectors) for identity, vectors in self._vectors.items()}

    def nearest(self, vector: NDArray[np.float32]) -> list[ReIdentificationPrediction]:
        """Every identity with the cosine of its nearest vector, the nearest first."""
        with self._lock:
            cosines = {
                identity: float((np.stack(vectors) @ vector).max())
                for identity, vectors in self._vectors.items()
            }
        ranked = sorted(cosines.items(), key=lambda pair: -pair[1])
        return [ReIdentificationPrediction(one, cosine, 1 - cosine) for one, cosine in ranked]

    def _shorten(self, vectors: list[NDArray[np.float32]]) -> None:
        while self._limit is not None and len(vectors) > self._limit:
            is_random = self._method == "drop_random"
            del vectors[self._random.randrange(len(vectors) - 1) if is_random else 0]
