"""A histogram for the path of every request: one look-up, one bisection, one lock."""

import threading
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence

from prometheus_client import CollectorRegistry
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString


class Observations:
    """What was observed under one set of labels."""

    __slots__ = ("_bounds", "_counts", "_lock", "_sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0
        self._lock = threading.Lock()

    def observe(self, value: float) -> None:
        """Count a value."""
        bucket = bisect_left(self._bounds, value)
        with self._lock:
            self._counts[bucket] += 1
            self._sum += value

    def snapshot(self) -> tuple[list[int], float]:
        """Return the counts, the last one above every bound, and the sum of the values."""
        with self._lock:
            return list(self._counts), self._sum


class QuickHistogram(Collector):
    """Stands for prometheus_client's Histogram where its linear search and locks are too slow."""

    def __init__(
        self,
        name: str,
        documentation: str,
        labels: tuple[str, ...],
        bounds: Sequence[float],
        registry: CollectorRegistry,
    ) -> None:
        self._name = name
        self._documentation = documentation
        self._labels = labels
        self._bounds = tuple(bounds)
        self._children: dict[tuple[str, ...], Observations] = {}
        registry.register(self)

    def labels(self, *values: str) -> Observations:
        """Return the observations of some label values; the caller may keep them."""
        child = self._children.get(values)
        if child is None:
            child = self._children.setdefault(values, Observations(self._bounds))
        return child

    def remove(self, labels: Mapping[str, str]) -> None:
        """Forget the children that have these labels, whatever their others are."""
        wanted = set(labels.items())
        for values in list(self._children):
            if wanted <= set(zip(self._labels, values, strict=True)):
                self._children.pop(values, None)

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """Tell all of it to a scrape."""
        family = HistogramMetricFamily(self._name, self._documentation, labels=self._labels)
        for values, child in list(self._children.items()):
            counts, total = child.snapshot()
            family.add_metric(values, self._cumulative(counts), total)
        yield family

    def _cumulative(self, counts: list[int]) -> list[tuple[str, float]]:
        so_far, buckets = 0, []
        for bound, count in zip((*self._bounds, float("inf")), counts, strict=True):
            so_far += count
            text = floatToGoString(bound)  # type: ignore[no-untyped-call] # as the others
            buckets.append((text, float(so_far)))
        return buckets
