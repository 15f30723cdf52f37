"""Counting lines.

Direction: walk from a line's `from` to its `to`. An object that goes from the left hand to the
right hand of that walk counts "in", the other way "out". Pictures have y downwards, so on a line
drawn from left to right, moving down the picture is "in" and moving up is "out".
"""

import math
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Literal

from camfleet.count_error import BESIDE, BreakWatch, Doubt
from camfleet.detections import Detections

Direction = Literal["in", "out"]
Point = tuple[float, float]

MARGIN = 0.1  # share of the box height an anchor must lie beyond the line to have crossed it
SMALLEST_MARGIN_PX = 2.0
MAX_TRACKS = 2000


@dataclass(frozen=True, slots=True)
class LineShape:
    """A line of the configuration; points are relative (0..1); no labels means all labels."""

    name: str
    start: Point
    end: Point
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Crossing:
    """One object crossed one line."""

    line: str
    direction: Direction
    track_id: int
    label: str
    confidence: float


@dataclass(slots=True)
class LineCount:
    """Totals of one line, what speaks against them, and totals per label."""

    entered: int = 0
    left: int = 0
    doubt: Doubt = field(default_factory=Doubt)
    by_label: dict[str, dict[str, int]] = field(default_factory=dict)

    def add(self, crossing: Crossing) -> None:
        """Count one crossing."""
        if crossing.direction == "in":
            self.entered += 1
        else:
            self.left += 1
        row = self.by_label.setdefault(crossing.label, {"in": 0, "out": 0})
        row[crossing.direction] += 1

    def totals(self) -> "LineCount":
        """The totals as they are now, without labels; what is known of errors goes on."""
        return LineCount(self.entered, self.left, self.doubt)

    @property
    def error(self) -> float:
        """Half the width of the interval that holds the true `entered + left` (90 %)."""
        return self.doubt.error


@dataclass(slots=True)
class _Seen:
    """Where a track was clearly on one side of the line."""

    anchor: Point
    side: int


class LineCounter:
    """Counts the tracks that cross one line with the bottom centre of their boxes.

    A track has crossed when it was clearly on one side, is clearly on the other, and the way
    between both places meets the line itself and not only its prolongation. Trembling on the
    line counts nothing. Not thread-safe.
    """

    def __init__(self, shape: LineShape, count: LineCount | None = None) -> None:
        self.shape = shape
        self.count = count or LineCount()
        self._seen: OrderedDict[int, _Seen] = OrderedDict()
        self._breaks = BreakWatch(self.count.doubt)

    def update(
        self, tracked: Detections, frame_size: tuple[int, int], now_s: float
    ) -> list[Crossing]:
        """The crossings between the last frame and this one.

        Args:
            tracked: the objects of the frame; they must carry ids.
            frame_size: width and height in pixels.
            now_s: time of the frame, on a clock that goes on over connections.
        """
        line = _Segment(*self._in_pixels(frame_size))
        wanted = tracked.with_labels_in(self.shape.labels)
        ids = _ids(wanted)
        boxes = [_Box(*box) for box in wanted.xyxy.tolist()[: len(ids)]]
        crossings = []
        for index, (track_id, box) in enumerate(zip(ids, boxes, strict=True)):
            direction = self._follow(track_id, box, line)
            if direction is not None:
                crossings.append(self._crossing(wanted, index, direction))
        beside = ((i, line.has_beside(box)) for i, box in zip(ids, boxes, strict=True))
        self._breaks.update(beside, len(crossings), now_s)
        return crossings

    def _crossing(self, tracked: Detections, index: int, direction: Direction) -> Crossing:
        crossing = Crossing(
            self.shape.name,
            direction,
            _ids(tracked)[index],
            tracked.labels[index],
            float(tracked.confidence[index]),
        )
        self.count.add(crossing)
        return crossing

    def _in_pixels(self, frame_size: tuple[int, int]) -> tuple[Point, Point]:
        width, height = frame_size
        (x1, y1), (x2, y2) = self.shape.start, self.shape.end
        return (x1 * width, y1 * height), (x2 * width, y2 * height)

    def _follow(self, track_id: int, box: "_Box", line: "_Segment") -> Direction | None:
        anchor = box.bottom_centre
        distance = _signed_distance(anchor, line.start, line.end)
        if abs(distance) < max(SMALLEST_MARGIN_PX, MARGIN * box.height):
            return None
        side = 1 if distance > 0 else -1
        before = self._seen.get(track_id)
        self._remember(track_id, _Seen(anchor, side))
        if before is None or before.side == side:
            return None
        if not _meet(before.anchor, anchor, line.start, line.end):
            return None
        return "in" if side > 0 else "out"

    def _remember(self, track_id: int, seen: _Seen) -> None:
        self._seen[track_id] = seen
        self._seen.move_to_end(track_id)
        if len(self._seen) > MAX_TRACKS:
            self._seen.popitem(last=False)


@dataclass(frozen=True, slots=True)
class _Box:
    x1: float
    y1: float
    x2: float
    y2: float

    @property
    def bottom_centre(self) -> Point:
        return (self.x1 + self.x2) / 2, self.y2

    @property
    def height(self) -> float:
        return self.y2 - self.y1


@dataclass(frozen=True, slots=True)
class _Segment:
    start: Point
    end: Point

    def has_beside(self, box: _Box) -> bool:
        """True when the box stands so near to the line that it may be about to cross it."""
        (x1, y1), (x2, y2), (x, y) = self.start, self.end, box.bottom_centre
        length = max(math.hypot(x2 - x1, y2 - y1), 1e-9)
        along = ((x - x1) * (x2 - x1) + (y - y1) * (y2 - y1)) / length
        reach = BESIDE * box.height
        is_level = -reach <= along <= length + reach
        return is_level and abs(_signed_distance(box.bottom_centre, self.start, self.end)) < reach


def _ids(tracked: Detections) -> list[int]:
    return [] if tracked.tracker_id is None else tracked.tracker_id.tolist()


def _signed_distance(point: Point, start: Point, end: Point) -> float:
    """Pixels from the line through both points; positive on the right hand of the walk."""
    along_x, along_y = end[0] - start[0], end[1] - start[1]
    length = math.hypot(along_x, along_y)
    return (along_x * (point[1] - start[1]) - along_y * (point[0] - start[0])) / max(length, 1e-9)


def _meet(a: Point, b: Point, start: Point, end: Point) -> bool:
    """True when the way from a to b, which changes sides, meets the segment start-end."""
    first, second = _signed_distance(start, a, b), _signed_distance(end, a, b)
    return first * second <= 0
