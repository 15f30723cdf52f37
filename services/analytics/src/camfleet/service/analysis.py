"""What happens to the detections of one camera: labels, tracking, class vote, lines, zones."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from camfleet.detections import Detections
from camfleet.inference.served_model import ServedModel
from camfleet.lines import Crossing, LineCount, LineCounter, LineShape
from camfleet.predictions import is_tracked
from camfleet.tracking.class_vote import ClassVote
from camfleet.tracking.parked import ParkedObjects
from camfleet.tracking.tracker import Tracker, create_tracker
from camfleet.video.frames import Frame
from camfleet.zones import ZoneEvent, ZoneShape, ZoneWatcher
from camfleet_contracts.cameras import Line, Pipeline, Zone
from camfleet_contracts.events import Attribute

Attributes = Mapping[int, Mapping[str, Attribute]]  # by track and cascade


@dataclass(frozen=True, slots=True)
class Findings:
    """The objects of one frame, and what they did."""

    objects: Detections
    tracked_by: str | None = None  # the algorithm; None where nothing is tracked
    crossings: tuple[Crossing, ...] = ()
    zone_events: tuple[ZoneEvent, ...] = ()
    attributes: Attributes = field(default_factory=dict)


class Analysis:
    """One camera's memory between frames. Not thread-safe."""

    def __init__(
        self, pipeline: Pipeline, counts: dict[str, LineCount], highest_id: int = 0
    ) -> None:
        """`counts` are totals to go on from, by line; `highest_id` is the last id given before."""
        self.pipeline, self.highest_id = pipeline, highest_id
        self._tracker: Tracker = create_tracker(pipeline, highest_id)
        self._parked, self._vote = ParkedObjects(), ClassVote()
        self._voted_on: tuple[str, int] | None = None  # the model and version of the votes
        self.lines = [_counter(line, counts.get(line.name)) for line in pipeline.lines]
        self.zones = [ZoneWatcher(_zone_shape(zone)) for zone in pipeline.zones]
        self._connection, self._newest_s = -1, 0.0

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
            return Findings(sure)
        zone_events = self._restart() if self._begins_anew(frame) else []
        self._vote_anew_on(model)
        tracked = self._tracker.update(wanted, frame.pts_s)
        objects = self._vote.apply(self._parked.apply(tracked, frame.pts_s))
        self._note_ids(objects)
        now_s = frame.received_s
        crossings = [c for one in self.lines for c in one.update(objects, frame.size, now_s)]
        hidden = self._parked.hidden(frame.pts_s)
        for zone in self.zones:
            zone_events += zone.update(objects, frame.size, frame.pts_s, hidden)
        return Findings(objects, self._tracker.algorithm, tuple(crossings), tuple(zone_events))

    def empty_zones(self) -> list[ZoneEvent]:
        """Everybody inside has left, as far as anybody will know."""
        return [event for zone in self.zones for event in zone.restart()]

    def _begins_anew(self, frame: Frame) -> bool:
        """True on a new connection, and when the stream's clock does not go on within one."""
        before = self._connection, self._newest_s
        self._connection, self._newest_s = frame.connection, frame.pts_s
        return frame.connection != before[0] or frame.pts_s <= before[1]

    def _restart(self) -> list[ZoneEvent]:
        self._tracker.restart()
        self._parked = ParkedObjects()
        return self.empty_zones()

    def _vote_anew_on(self, model: ServedModel) -> None:
        """Forget what another model said of the tracks: its labels are not those of this one."""
        if (asked := (model.name, model.version)) != self._voted_on:
            self._voted_on, self._vote = asked, ClassVote()

    def _note_ids(self, objects: Detections) -> None:
        ids = [] if objects.tracker_id is None else objects.tracker_id.tolist()
        self.highest_id = max([self.highest_id, *ids])


def _counter(line: Line, count: LineCount | None) -> LineCounter:
    return LineCounter(LineShape(line.name, line.start, line.end, line.labels), count)


def _zone_shape(zone: Zone) -> ZoneShape:
    return ZoneShape(zone.name, zone.polygon, zone.labels, zone.loiter_after_s)
