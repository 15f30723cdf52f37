"""How well a model finds what is labelled: mean average precision by supervision's metrics."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from camfleet.detections import Detections
from camfleet_workbench import html
from camfleet_workbench.labelled.coco import LabelledPictures
from camfleet_workbench.models import connect
from camfleet_workbench.plainly import CellError, plainly

LEAST_CONFIDENCE = 0.02  # average precision wants the weak ones too


@dataclass(frozen=True, slots=True)
class Score:
    """Average precision (0..1); the last value of a cell."""

    model: str
    pictures: int
    map50: float  # boxes that overlap by half count as found
    map50_95: float  # mean over overlaps of 0.5 to 0.95, as COCO reports
    by_label: dict[str, float]  # at 0.5; labels with no object in the pictures are left out

    @property
    def metrics(self) -> dict[str, float]:
        """What `publish(metrics=...)` notes."""
        return {"mAP50": round(self.map50, 4), "mAP50-95": round(self.map50_95, 4)}

    def __repr__(self) -> str:
        """One line."""
        return (
            f"{self.model}: mAP@0.5 {self.map50:.3f}, mAP@0.5:0.95 {self.map50_95:.3f} "
            f"on {self.pictures} pictures"
        )

    def _repr_html_(self) -> str:
        rows = [(label, f"{value:.3f}") for label, value in self.by_label.items()]
        return html.paragraph(repr(self)) + html.table(("label", "AP@0.5"), rows)


@plainly
def mean_average_precision(model: str, truth: LabelledPictures) -> Score:
    """Ask a served model about labelled pictures and score its answers.

    Labels of the model that the truth does not know count as false where they overlap nothing.

    Raises:
        CellError: there are no labelled objects, or the model cannot be asked.
    """
    if not sum(truth.counts.values()):
        raise CellError("the pictures have no labelled objects; there is nothing to score against")
    detector = connect()
    found = [detector.detect(p, model, LEAST_CONFIDENCE).detections for p in truth.pictures]
    return score(model, found, truth)


def score(model: str, found: list[Detections], truth: LabelledPictures) -> Score:
    """Score what was found in each of the pictures."""
    from supervision.metrics import MeanAveragePrecision  # noqa: PLC0415 - takes long

    numbers = {label: number for number, label in enumerate(truth.labels)}
    for label in (label for one in found for label in one.labels):
        numbers.setdefault(label, len(numbers))
    metric = MeanAveragePrecision()
    metric.update(
        [_taken(objects, numbers) for objects in found],
        [_taken(objects, numbers) for objects in truth.objects],
    )
    result = metric.compute()
    known = set(truth.counts)
    names = {number: label for label, number in numbers.items() if label in known}
    rows = zip(result.matched_classes.tolist(), result.ap_per_class[:, 0].tolist(), strict=True)
    by_label = {names[number]: max(value, 0.0) for number, value in rows if number in names}
    return Score(model, len(truth), result.map50, result.map50_95, by_label)


def _taken(objects: Detections, numbers: dict[str, int]) -> Any:
    """The same objects as supervision holds them, with the numbers of their labels."""
    from supervision import Detections as Theirs  # noqa: PLC0415 - takes long

    return Theirs(
        xyxy=objects.xyxy.astype(np.float32),
        confidence=objects.confidence.astype(np.float32),
        class_id=np.array([numbers[label] for label in objects.labels], np.int64),
    )
