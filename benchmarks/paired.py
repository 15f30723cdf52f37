"""Paired runs: a and b by turns and the median of their ratios; a noisy machine hurts both."""

import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Ratio:
    """Rates of two ways to do the same, and the median of the ratios of neighbours in time."""

    name: str
    a_per_s: float
    b_per_s: float
    ratio: float
    low: float
    high: float


def rate(work: Callable[[], int], seconds: float) -> float:
    """How many units a second `work` (returns how many it did) gets done."""
    done, start = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - start) < seconds:
        done += work()
    return done / elapsed


def paired(
    name: str,
    a: Callable[[], int],
    b: Callable[[], int],
    *,
    rounds: int = 7,
    seconds: float = 1.0,
) -> Ratio:
    """Run a and b by turns; the ratio is b's rate over a's."""
    a(), b()
    pairs = [(rate(a, seconds), rate(b, seconds)) for _ in range(rounds)]
    ratios = sorted(second / first for first, second in pairs)
    return Ratio(
        name,
        statistics.median(first for first, _ in pairs),
        statistics.median(second for _, second in pairs),
        statistics.median(ratios),
        ratios[0],
        ratios[-1],
    )


def show(title: str, a: str, b: str, rows: list[Ratio]) -> None:
    """Print a Markdown table."""
    lines = [f"\n### {title}\n", f"| | {a}/s | {b}/s | ratio | spread |", "|---|---|---|---|---|"]
    lines += [
        f"| {row.name} | {row.a_per_s:.0f} | {row.b_per_s:.0f} | **{row.ratio:.2f}**"
        f" | {row.low:.2f} to {row.high:.2f} |"
        for row in rows
    ]
    sys.stdout.write("\n".join(lines) + "\n")
