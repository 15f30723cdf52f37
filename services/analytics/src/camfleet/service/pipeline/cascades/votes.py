"""What a second model said of each track: a vote over its classes, else what it found last."""

from collections import OrderedDict, defaultdict
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from camfleet.inference.detector import Detected
from camfleet.predictions import base_service, predictions_of
from camfleet_contracts.events import Attribute

MAX_TRACKS = 1000  # the longest unheard of is forgotten first
DECAY = 0.9  # so that a wrong beginning does not stay


@dataclass(slots=True)
class _Known:
    newest: Detected
    box: NDArray[np.float32]  # of the object in the view of `newest`, in frame pixels
    views: int = 0
    weight: float = 0.0  # of all views, the older ones less
    votes: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))

    def count(self) -> None:
        """Take in what the newest view says."""
        self.views, self.weight = self.views + 1, self.weight * DECAY + 1
        for label in self.votes:
            self.votes[label] *= DECAY
        found = self.newest.detections
        if base_service(self.newest.model.manifest) == "Classification" and len(found):
            best = int(found.confidence.argmax())
            self.votes[found.labels[best]] += float(found.confidence[best])

    def elected(self) -> dict[str, Any]:
        """The class that most was said for, and its mean confidence over all views."""
        label = max(self.votes, key=lambda one: self.votes[one])
        return {"label": label, "confidence": round(self.votes[label] / self.weight, 4)}


class Votes:
    """One cascade's answers by track. Belongs to the pipeline's thread."""

    def __init__(self) -> None:
        self._tracks: OrderedDict[int, _Known] = OrderedDict()

    def add(self, track: int, box: NDArray[np.float32], answer: Detected) -> None:
        """Take in an answer about a view in which the object's box was `box`, in frame pixels."""
        known = self._tracks.setdefault(track, _Known(answer, box))
        self._tracks.move_to_end(track)
        if len(self._tracks) > MAX_TRACKS:
            self._tracks.popitem(last=False)
        known.newest, known.box = answer, box
        known.count()

    def read(self, track: int, box: NDArray[np.float32]) -> Attribute | None:
        """What is known of a track whose box is now `box`; None when nothing was found."""
        known = self._tracks.get(track)
        if known is None:
            return None
        model = known.newest.model
        facts = {"views": known.views, "model_id": model.manifest.id or model.name}
        facts |= {"model_version": model.version}
        found = _found_now(known, box) if known.newest.detections else {}
        told = known.elected() if known.votes else found
        return Attribute.model_validate(told | facts) if told else None


def _found_now(known: _Known, box: NDArray[np.float32]) -> dict[str, Any]:
    """What was found in the newest view, as far as the object has moved and grown since."""
    before = known.box
    scale = (box[2:] - box[:2]) / np.maximum(before[2:] - before[:2], 1)
    found = known.newest.detections.placed(scale, box[:2] - before[:2] * scale)
    if found.embeddings is not None:
        return {"embedding": found.embeddings[0].round(5).tolist()}
    told: dict[str, Any] = {"predictions": predictions_of(found)}
    if found.key_points is not None:
        told["key_points"] = found.key_points[0].round(2).tolist()
    return told
