"""Lets the service's own analysis count what a detector found, without cameras and clocks."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from camfleet.detections import Detections
from camfleet.service.analysis import Analysis, Findings
from camfleet.video.frames import Frame
from camfleet_contracts.cameras import Pipeline
from fakes_analytics import picture, served

Film = Iterable[tuple[float, Detections]]  # seconds, and what was found


def analysed(
    pipeline: Pipeline, film: Film, size: tuple[int, int]
) -> tuple[Analysis, list[Findings]]:
    """The analysis after a film, and what it said of each frame."""
    analysis, blank, model = Analysis(pipeline, {}), picture(*size), served()
    moment = datetime.now(UTC)
    findings = []
    for number, (time_s, found) in enumerate(film):
        strong = found.select(found.confidence >= analysis.lowest_confidence)
        frame = Frame(blank, number, time_s, moment, moment, time_s, 1)
        findings.append(analysis.look(strong, model, frame))
    return analysis, findings


def without(film: Film, is_lost: Callable[[float], bool]) -> Film:
    """The film without the frames that are lost."""
    return ((time_s, found) for time_s, found in film if not is_lost(time_s))
