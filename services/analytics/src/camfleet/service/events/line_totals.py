"""Totals of lines, as the journal keeps them beside the events."""

import json
from collections.abc import Iterable

from camfleet.count_error import doubt_of
from camfleet.lines import LineCount
from camfleet_contracts.events import Envelope

TotalsRow = tuple[str, str, str]  # camera, line, totals as JSON


class LineTotals:
    """The newest totals by camera and line. Not thread-safe."""

    def __init__(self, rows: Iterable[TotalsRow] = ()) -> None:
        self._totals = {(camera, line): counts for camera, line, counts in rows}

    def note(self, message: Envelope) -> None:
        """Remember the totals of a crossing; other events have none."""
        if row := totals_row(message):
            camera, line, counts = row
            self._totals[camera, line] = counts

    def of(self, camera: str) -> dict[str, LineCount]:
        """The totals of a camera by line."""
        rows = ((line, text) for (name, line), text in self._totals.items() if name == camera)
        return {line: _count_from(text) for line, text in rows}


def totals_row(message: Envelope) -> TotalsRow | None:
    """The totals a crossing tells; None for other events."""
    results = message.results
    if results.get("event_label") != "line_crossed" or message.camera is None:
        return None
    facts = results["data"]
    figures = {"in": "count_in", "out": "count_out", "error": "count_error"}
    counts = json.dumps({name: facts[figure] for name, figure in figures.items()})
    return message.camera, str(facts["line"]), counts


def _count_from(text: str) -> LineCount:
    counts = json.loads(text)
    doubt = doubt_of(float(counts.get("error", 0.0)))  # an outbox of a version that had none
    return LineCount(int(counts["in"]), int(counts["out"]), doubt)
