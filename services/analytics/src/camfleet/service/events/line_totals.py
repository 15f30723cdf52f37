"""Totals of lines, as the journal keeps them beside the events."""

import json
from collections.abc import Iterable

from camfleet.lines import LineCount
from camfleet_contracts.events import Envelope


def totals_row(message: Envelope) -> tuple[str, str, str] | None:
    """(camera, line, totals as JSON) of a crossing; None for other events."""
    results = message.results
    if results.get("event_label") != "line_crossed" or message.camera is None:
        return None
    facts = results["data"]
    counts = json.dumps({"in": facts["count_in"], "out": facts["count_out"]})
    return message.camera, str(facts["line"]), counts


def totals_from(rows: Iterable[tuple[str, str]]) -> dict[str, LineCount]:
    """Totals by line from rows of line and JSON."""
    totals = {}
    for line, text in rows:
        counts = json.loads(text)
        totals[line] = LineCount(entered=int(counts["in"]), left=int(counts["out"]))
    return totals
