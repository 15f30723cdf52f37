"""The quick histogram shows what prometheus_client's own would show."""

import random
import threading

from prometheus_client import CollectorRegistry, Histogram, generate_latest

from camfleet_server.histograms import QuickHistogram
from camfleet_server.metrics import BUCKETS_US

VALUES = [*BUCKETS_US, *(random.Random(5).expovariate(1e-4) for _ in range(500)), 1e12, 0.0]
THREADS, EACH = 4, 2000


def lines(registry: CollectorRegistry) -> list[str]:
    shown = generate_latest(registry).decode().splitlines()
    return [line for line in shown if "_created" not in line]


def test_it_shows_the_same_lines_as_prometheus_client() -> None:
    theirs, ours = CollectorRegistry(), CollectorRegistry()
    slow = Histogram("wait_us", "Waiting", ("name", "version"), registry=theirs, buckets=BUCKETS_US)
    quick = QuickHistogram("wait_us", "Waiting", ("name", "version"), BUCKETS_US, ours)
    for value in VALUES:
        slow.labels("m", "1").observe(value)
        quick.labels("m", "1").observe(value)
    assert lines(ours) == lines(theirs)


def test_nothing_is_lost_between_threads() -> None:
    registry = CollectorRegistry()
    histogram = QuickHistogram("wait_us", "Waiting", ("name",), BUCKETS_US, registry)

    def observe() -> None:
        for _ in range(EACH):
            histogram.labels("m").observe(25.0)

    threads = [threading.Thread(target=observe) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert registry.get_sample_value("wait_us_count", {"name": "m"}) == THREADS * EACH
    assert registry.get_sample_value("wait_us_sum", {"name": "m"}) == THREADS * EACH * 25.0
