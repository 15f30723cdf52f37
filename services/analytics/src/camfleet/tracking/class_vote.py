"""One class per track: the one its detections spoke for most strongly so far."""

from collections import OrderedDict, defaultdict
from dataclasses import replace

import numpy as np

from camfleet.detections import Detections

MAX_TRACKS = 1000  # the longest unseen is forgotten first
DECAY = 0.95  # so that a wrong beginning does not stay


class ClassVote:
    """Sums confidence per track and class. Not thread-safe."""

    def __init__(self) -> None:
        self._votes: OrderedDict[int, defaultdict[tuple[int, str], float]] = OrderedDict()

    def apply(self, tracked: Detections) -> Detections:
        """The same objects, each with its track's class."""
        if tracked.tracker_id is None or not len(tracked):
            return tracked
        elected = [
            self._elect(
                int(track),
                (int(tracked.class_id[i]), tracked.labels[i]),
                float(tracked.confidence[i]),
            )
            for i, track in enumerate(tracked.tracker_id)
        ]
        return replace(
            tracked,
            class_id=np.array([class_id for class_id, _ in elected], np.int64),
            labels=tuple(label for _, label in elected),
        )

    def _elect(self, track: int, vote: tuple[int, str], weight: float) -> tuple[int, str]:
        votes = self._votes.setdefault(track, defaultdict(float))
        self._votes.move_to_end(track)
        for other in votes:
            votes[other] *= DECAY
        votes[vote] += weight
        if len(self._votes) > MAX_TRACKS:
            self._votes.popitem(last=False)
        return max(votes, key=lambda one: votes[one])
