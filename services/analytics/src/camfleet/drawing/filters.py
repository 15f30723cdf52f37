"""Some of the predictions."""

from collections.abc import Collection, Iterable
from typing import TypeVar

from camfleet.drawing.markup import Found

FoundT = TypeVar("FoundT", bound=Found)


def filter_predictions_by_label(
    predictions: Iterable[FoundT], label_list: Collection[str]
) -> list[FoundT]:
    """Those with one of these labels.

    Raises:
        TypeError: a single text is given, of which every letter would be a label.
    """
    if isinstance(label_list, str):
        raise TypeError(f"label_list is a text; write ['{label_list}']")
    return [one for one in predictions if one.label in label_list]


def filter_predictions_by_area(
    predictions: Iterable[FoundT], min_area_thresh: float
) -> list[FoundT]:
    """Those whose boxes have at least this area in square pixels."""
    return [one for one in predictions if one.box.area >= min_area_thresh]
