"""How far a line's total may be from the truth: what speaks for errors, as one figure.

Three things make a count wrong, and all of them leave traces:

- a track that begins or ends beside the line may be an object that crossed it unseen, or that two
  tracks crossed for;
- two objects that stay on top of each other swap their tracks or are one; that leaves no trace of
  its own, and is in proportion to what was counted;
- while no frame is analysed, tracks break and objects cross that nobody sees: none of them in less
  than half a second, all of them in more than one, and as many as at other times.

The first two are independent accidents, whose squares add up; the last one goes one way. The
weights were measured: docs/decisions/0020-count-error.md.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

PER_CROSSING = 0.05  # expected squared error of one counted crossing
PER_BREAK = 0.2  # of one track that began or ended beside the line
NINETY_PERCENT = 1.645  # standard deviations
BESIDE = 0.7  # box heights from the line
BRIDGED_S, KEPT_S = 0.4, 1.0  # a gap that no track breaks in; one in which all have ended
AGAIN_S = 1.0  # how long it takes after such a gap until tracks cross again
UNKNOWN_S = 2.0  # the rate of crossings begins with one in this time


@dataclass(slots=True)
class Doubt:
    """What speaks against one line's total."""

    squared: float = 0.0  # expected squared error, of tracks and swaps
    lost_s: float = 0.0  # time in which nothing could be counted
    watched_s: float = 0.0
    crossed: int = 0  # in the time watched

    @property
    def unseen(self) -> float:
        """How many will have crossed in the time lost, at the rate of the time watched."""
        return self.lost_s * (self.crossed + 1) / (self.watched_s + UNKNOWN_S)

    @property
    def error(self) -> float:
        """Half the width of the interval that holds the true total nine times in ten."""
        return self.unseen + NINETY_PERCENT * math.sqrt(self.squared + self.unseen)


def doubt_of(error: float) -> Doubt:
    """A doubt that begins with the error that was stated last."""
    return Doubt(squared=(error / NINETY_PERCENT) ** 2)


@dataclass(slots=True)
class _Track:
    seen_s: float
    is_beside: bool


@dataclass(slots=True)
class BreakWatch:
    """Finds the tracks that begin or end beside a line, and the gaps. Not thread-safe."""

    doubt: Doubt
    _tracks: dict[int, _Track] = field(default_factory=dict)
    _newest_s: float | None = None

    def update(self, beside: Iterable[tuple[int, bool]], crossed: int, now_s: float) -> None:
        """Take in one frame.

        Args:
            beside: the track of every object, and whether it is beside the line.
            crossed: how many crossed in this frame.
            now_s: time of the frame, on a clock that goes on over connections.
        """
        self._note_gap(now_s)
        self.doubt.crossed += crossed
        self.doubt.squared += PER_CROSSING * crossed
        for track_id, is_beside in beside:
            if track_id not in self._tracks:
                self.doubt.squared += PER_BREAK * is_beside
            self._tracks[track_id] = _Track(now_s, is_beside)
        ended = [i for i, track in self._tracks.items() if now_s - track.seen_s > KEPT_S]
        for track_id in ended:
            self.doubt.squared += PER_BREAK * self._tracks.pop(track_id).is_beside

    def _note_gap(self, now_s: float) -> None:
        before, self._newest_s = self._newest_s, now_s
        if before is None:
            return
        since_s = now_s - before
        if since_s <= KEPT_S:
            self.doubt.watched_s += since_s
        share = min(max((since_s - BRIDGED_S) / (KEPT_S - BRIDGED_S), 0.0), 1.0)
        self.doubt.lost_s += share * since_s + (AGAIN_S if since_s > KEPT_S else 0.0)
