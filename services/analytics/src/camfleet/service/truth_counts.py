"""The true crossings of a demo scene since the moment a count began, beside that count."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from camfleet.lines import LineCount

Counts = dict[str, dict[str, int]]  # line -> {"in": n, "out": n}


@dataclass(slots=True)
class TruthCounts:
    """Compares one camera's totals with its truth over the same time. Not thread-safe."""

    _started_at: str | None = None
    _seen_s: float = 0.0
    _base: Counts = field(default_factory=dict)
    _true: Counts = field(default_factory=dict)

    def compare(
        self, truth: Mapping[str, Any], totals: Mapping[str, LineCount]
    ) -> tuple[Counts, Counts]:
        """(counted, true), both since the first call, or since the scene began anew."""
        if truth["started_at"] != self._started_at:
            self._begin(truth, totals)
        crossings = truth.get("crossings", [])
        for crossing in crossings:
            if crossing["time_s"] > self._seen_s:
                row = self._true.setdefault(crossing["line"], {"in": 0, "out": 0})
                row[crossing["direction"]] += 1
        self._seen_s = max([self._seen_s, *(crossing["time_s"] for crossing in crossings)])
        counted = {name: _less(count, self._base.get(name)) for name, count in totals.items()}
        return counted, {line: dict(row) for line, row in self._true.items()}

    def _begin(self, truth: Mapping[str, Any], totals: Mapping[str, LineCount]) -> None:
        is_first = self._started_at is None
        self._started_at = truth["started_at"]
        self._seen_s = float(truth.get("time_s", 0.0)) if is_first else 0.0
        self._base = {name: _less(count, None) for name, count in totals.items()}
        self._true = {line: {"in": 0, "out": 0} for line in truth.get("lines", {})}


def _less(count: LineCount, base: dict[str, int] | None) -> dict[str, int]:
    base = base or {"in": 0, "out": 0}
    return {"in": count.entered - base["in"], "out": count.left - base["out"]}
