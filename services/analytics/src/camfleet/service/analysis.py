"""What happens to the detections of one camera: labels, tracking, class vote, lines."""

from dataclasses import dataclass

from camfleet.detections import Detections
from camfleet.inference.served_model import ServedModel
from camfleet.lines import Crossing, LineCount, LineCounter, LineShape
from camfleet.service.model_kinds import is_tracked
from camfleet.tracking.class_vote import ClassVote
from camfleet.tracking.tracker import Tracker, create_tracker
from camfleet.video.frames import Frame
from camfleet_contracts.cameras import Line, Pipeline


@dataclass(frozen=True, slots=True)
class Findings:
    """The objects of one frame, and what they did."""

    objects: Detections
    crossings: tuple[Crossing, ...]
    tracked_by: str | None  # the algorithm; None where nothing is tracked


class Analysis:
    """One camera's memory between frames. Not thread-safe."""

    def __init__(self, pipeline: Pipeline, counts: dict[str, LineCount]) -> None:
        """`counts` are totals to go on from, by line."""
        self.pipeline = pipeline
        self._tracker: Tracker = create_tracker(pipeline)
        self._vote = ClassVote()
        self.lines = [_counter(line, counts.get(line.name)) for line in pipeline.lines]
        self._connection = -1

    @property
    def lowest_confidence(self) -> float:
        """The weakest detections worth decoding."""
        return self._tracker.lowest_confidence

    @property
    def counts(self) -> dict[str, LineCount]:
        """Totals by line."""
        return {counter.shape.name: counter.count for counter in self.lines}

    def prepare(self) -> None:
        """Do what takes long, before the first frame comes."""
        self._tracker.prepare()

    def look(self, detections: Detections, model: ServedModel, frame: Frame) -> Findings:
        """Take in the detections of one frame."""
        wanted = detections.with_labels_in(self.pipeline.labels)
        if not is_tracked(model.manifest):
            sure = wanted.select(wanted.confidence >= self.pipeline.confidence)
            return Findings(sure, (), None)
        if frame.connection != self._connection:
            self._tracker.restart()
            self._connection = frame.connection
        objects = self._vote.apply(self._tracker.update(wanted, frame.pts_s))
        crossings = [c for counter in self.lines for c in counter.update(objects, frame.size)]
        return Findings(objects, tuple(crossings), self._tracker.algorithm)


def _counter(line: Line, count: LineCount | None) -> LineCounter:
    counter = LineCounter(LineShape(line.name, line.start, line.end, line.labels))
    counter.count = count or counter.count
    return counter
