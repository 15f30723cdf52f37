"""DETR and those after it, on tensors made by hand."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from camfleet.decoders import get_decoder
from camfleet.decoders.outputs import UnexpectedOutputs
from camfleet.detections import Detections
from camfleet.inference.geometry import stretch
from camfleet_contracts.model_manifest import parse_manifest

LABELS = ["car", "dog", "cat"]
FRAME, INPUT = (640, 320), (320, 320)
DOG_BOX = (0.5, 0.5, 0.25, 0.5)  # centre and size, shares of the input
DOG_XYXY = (240, 80, 400, 240)  # in frame pixels


def decoded(outputs: dict[str, NDArray[Any]], **manifest: Any) -> Detections:
    postprocess = {"decoder": "detr"}
    values = {"id": "m", "labels": LABELS, "postprocess": postprocess, **manifest}
    resize = stretch(FRAME, INPUT)
    return get_decoder("detr")(outputs, parse_manifest(values, where="test"), resize, 0.5, 0.45)


def queries(classes: int, dog: list[float]) -> tuple[NDArray[Any], NDArray[Any]]:
    boxes = np.full((1, 300, 4), 0.1, np.float32)
    logits = np.full((1, 300, classes), -9, np.float32)
    boxes[0, 7], logits[0, 7, : len(dog)] = DOG_BOX, dog
    return boxes, logits


def assert_is_the_dog(found: Detections, confidence: float) -> None:
    assert found.labels == ("dog",)
    assert found.confidence[0] == pytest.approx(confidence, abs=1e-4)
    assert found.xyxy[0] == pytest.approx(DOG_XYXY, abs=0.01)


@pytest.mark.parametrize(
    ("classes", "names"),
    [(3, ("logits", "pred_boxes")), (4, ("logits", "pred_boxes")), (4, ("labels", "dets"))],
    ids=["transformers", "as many columns as a box has", "RF-DETR"],
)
def test_boxes_and_logits_are_told_apart(classes: int, names: tuple[str, str]) -> None:
    boxes, logits = queries(classes, [-3, np.log(4), -3])
    assert_is_the_dog(decoded({names[0]: logits, names[1]: boxes}), 0.8)


def test_no_object_behind_the_labels_is_no_class() -> None:
    boxes, logits = queries(4, [-3, 1, -3, 5])
    assert_is_the_dog(decoded({"pred_boxes": boxes, "logits": logits}), 1 / (1 + np.exp(-1)))
    nothing = decoded({"pred_boxes": boxes, "logits": logits}, softmax=True)
    assert len(nothing) == 0


def test_the_first_detr_shares_one_among_all_classes() -> None:
    boxes, logits = queries(4, [0, np.log(7), 0, 0])
    assert_is_the_dog(decoded({"pred_boxes": boxes, "logits": logits}, softmax=True), 0.7)


def test_hidden_states_beside_them_are_passed_over() -> None:
    boxes, logits = queries(3, [-3, np.log(4), -3])
    state = np.zeros((1, 300, 256), np.float32)
    outputs = {"last_hidden_state": state, "logits": logits, "pred_boxes": boxes}
    assert_is_the_dog(decoded(outputs), 0.8)


def test_tables_of_other_length_are_refused() -> None:
    boxes, logits = queries(3, [0, 1, 0])
    with pytest.raises(UnexpectedOutputs, match="'detr' expects boxes"):
        decoded({"pred_boxes": boxes[:, :100], "logits": logits})
