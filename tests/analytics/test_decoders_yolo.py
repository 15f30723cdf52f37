"""The YOLO families, on tensors made by hand and on the raw grids of a real network."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from camfleet.decoders import get_decoder
from camfleet.detections import Detections
from camfleet.inference.geometry import letterbox, stretch
from camfleet_contracts.model_manifest import ModelManifest, parse_manifest
from direct_inference import expected_of

LABELS = ["car", "dog"]
FRAME, INPUT = (640, 320), (320, 320)
DOG_XYXY = (200, 100, 300, 200)  # in frame pixels
# The same in the pixels of a letterboxed input: scaled by one half, moved down by 80.
DOG_CXCYWH = (125, 155, 50, 50)


def manifest_of(decoder: str, labels: list[str] = LABELS, **parameters: Any) -> ModelManifest:
    postprocess = {"decoder": decoder, "parameters": parameters}
    return parse_manifest({"id": "m", "labels": labels, "postprocess": postprocess}, where="test")


def decoded(decoder: str, *tensors: NDArray[Any], **parameters: Any) -> Detections:
    outputs = {f"output{number}": tensor for number, tensor in enumerate(tensors)}
    resize = letterbox(FRAME, INPUT, centred=True)
    return get_decoder(decoder)(outputs, manifest_of(decoder, **parameters), resize, 0.5, 0.45)


def assert_is_the_dog(found: Detections, confidence: float) -> None:
    assert found.labels == ("dog",)
    assert found.class_id.tolist() == [1]
    assert found.confidence[0] == pytest.approx(confidence)
    assert found.xyxy[0] == pytest.approx(DOG_XYXY, abs=0.01)


def test_v5_multiplies_objectness_and_class_and_suppresses_the_double() -> None:
    rows = [
        [*DOG_CXCYWH, 0.9, 0.1, 0.8],
        [126, 155, 50, 50, 0.9, 0.1, 0.7],  # nearly the same dog
        [60, 60, 20, 20, 0.9, 0.5, 0.1],  # 0.45: not sure enough
        [60, 60, 20, 20, 0.4, 0.9, 0.1],
    ]
    assert_is_the_dog(decoded("yolov5", np.array([rows], np.float32)), 0.72)


@pytest.mark.parametrize("is_transposed", [False, True])
def test_v8_reads_columns_and_rows(is_transposed: bool) -> None:
    columns = np.zeros((1, 6, 50), np.float32)
    columns[0, :, 7] = [*DOG_CXCYWH, 0.1, 0.8]
    columns[0, :, 8] = [126, 155, 50, 50, 0.1, 0.7]
    found = decoded("yolov8", columns.transpose(0, 2, 1) if is_transposed else columns)
    assert_is_the_dog(found, 0.8)
    assert found.key_points is None
    assert found.masks is None


def test_v8_moves_key_points_into_the_frame() -> None:
    columns = np.zeros((1, 6 + 6, 50), np.float32)
    columns[0, :, 7] = [*DOG_CXCYWH, 0.1, 0.8, 100, 130, 0.9, 150, 180, 0.4]
    found = decoded("yolov8", columns, key_points=2)
    assert_is_the_dog(found, 0.8)
    assert found.key_points is not None
    assert found.key_points[0] == pytest.approx(np.array([[200, 100, 0.9], [300, 200, 0.4]]))


def test_v8_makes_masks_from_prototypes_and_cuts_them_at_the_box() -> None:
    columns = np.zeros((1, 6 + 2, 50), np.float32)
    columns[0, :, 7] = [*DOG_CXCYWH, 0.1, 0.8, 1, 0]
    prototypes = np.full((1, 2, 80, 80), -5, np.float32)
    prototypes[0, 0, :, :31] = 5  # the left part of the picture, up to x = 124 of the input
    found = decoded("yolov8", columns, prototypes)
    assert_is_the_dog(found, 0.8)
    assert found.masks is not None
    assert found.masks.shape == (1, 40, 80)  # the frame's part of the letterbox, in its cells
    rows, cells = np.nonzero(found.masks[0])
    per_cell = FRAME[0] / 80
    assert (cells.min() * per_cell, (cells.max() + 1) * per_cell) == (200, 248)
    assert (rows.min() * per_cell, (rows.max() + 1) * per_cell) == pytest.approx((100, 200), abs=4)


def test_v8_reads_prototypes_of_a_small_input() -> None:
    columns = np.zeros((1, 6 + 32, 50), np.float32)
    columns[0, :7, 7] = [*DOG_CXCYWH, 0.1, 0.8, 1]
    prototypes = np.full((1, 32, 20, 20), 5, np.float32)  # fewer cells in a row than prototypes
    masks = decoded("yolov8", columns, prototypes).masks
    assert masks is not None
    assert masks.shape == (1, 10, 20)


def test_v8_takes_shares_of_the_input_for_pixels_as_tflite_exports_have_them() -> None:
    columns = np.zeros((1, 6 + 3, 50), np.float32)
    columns[0, :, 7] = [*(np.array(DOG_CXCYWH) / 320), 0.1, 0.8, 100 / 320, 130 / 320, 0.9]
    found = decoded("yolov8", columns, key_points=1)
    assert_is_the_dog(found, 0.8)
    assert found.key_points is not None
    assert found.key_points[0] == pytest.approx(np.array([[200, 100, 0.9]]))


def test_v10_suppresses_nothing() -> None:
    rows = np.zeros((1, 300, 6), np.float32)
    rows[0, 0] = [100, 130, 150, 180, 0.8, 1]
    rows[0, 1] = [100, 130, 150, 180, 0.7, 0]
    found = decoded("yolov10", rows)
    assert found.labels == ("dog", "car")
    assert_is_the_dog(found.select(np.array([0])), 0.8)


def test_rows_without_suppression_may_say_centre_and_size() -> None:
    rows = np.zeros((1, 300, 6), np.float32)
    rows[0, 0] = [*(np.array(DOG_CXCYWH) / 320), 0.8, 1]
    assert_is_the_dog(decoded("yolov10", rows, boxes="centre"), 0.8)


def test_rows_without_suppression_may_have_key_points() -> None:
    rows = np.zeros((1, 300, 6 + 3), np.float32)
    rows[0, 0] = [100, 130, 150, 180, 0.8, 1, 100, 130, 0.9]
    found = decoded("yolov10", rows, key_points=1)
    assert_is_the_dog(found, 0.8)
    assert found.key_points is not None
    assert found.key_points[0] == pytest.approx(np.array([[200, 100, 0.9]]))


def test_rows_without_suppression_may_have_masks() -> None:
    rows = np.zeros((1, 300, 6 + 2), np.float32)
    rows[0, 0] = [100, 130, 150, 180, 0.8, 1, 1, 0]
    prototypes = np.full((1, 2, 80, 80), -5, np.float32)
    prototypes[0, 0, :, :31] = 5
    found = decoded("yolov10", rows, prototypes)
    assert_is_the_dog(found, 0.8)
    assert found.masks is not None
    assert np.nonzero(found.masks[0])[1].max() == 30  # the left part of the picture


def test_grids_of_v4_stretch_the_centre_beyond_its_cell() -> None:
    grid = np.full((1, 1 * 7, 10, 10), -20, np.float32)
    grid[0, :, 4, 3] = [20, 20, 0, 0, 20, -20, 20]  # sigmoid 1: the far corner of the cell
    found = decoded("yolo-grids", grid, anchors=[[[50, 50]]], scale_xy=1.2)
    # (3 + 1.1) * 32 = 131.2 and (4 + 1.1) * 32 = 163.2 in the input
    centre = (found.xyxy[0, :2] + found.xyxy[0, 2:]) / 2
    assert centre == pytest.approx([131.2 * 2, (163.2 - 80) * 2], abs=0.01)


@pytest.mark.parametrize("is_nhwc", [False, True])
def test_raw_grids_of_a_real_network_give_the_boxes_of_its_region_layers(
    shared_data: Path, is_nhwc: bool
) -> None:
    folder = shared_data / "models" / "yolo-fastest-1.1-body"
    network = cv2.dnn.readNetFromDarknet(
        str(folder / "yolo-fastest-1.1_body.cfg"), str(folder / "yolo-fastest-1.1_body.weights")
    )
    expected = expected_of(shared_data, "yolo-fastest-1.1-body")
    name = "room-4-persons.jpg"
    image = cv2.imread(str(shared_data / "media" / "images" / name))
    assert image is not None
    network.setInput(cv2.dnn.blobFromImage(image, 1 / 255, (320, 320), swapRB=True))
    grids = network.forward(["conv_120", "conv_129"])
    if is_nhwc:
        grids = [grid.transpose(0, 2, 3, 1) for grid in grids]
    anchors = [[[7, 17], [20, 50], [45, 99]], [[64, 187], [123, 211], [227, 264]]]
    manifest = manifest_of("yolo-grids", ["body"], anchors=anchors)
    outputs = {"coarse": grids[0], "fine": grids[1]}
    found = get_decoder("yolo-grids")(
        outputs, manifest, stretch((image.shape[1], image.shape[0]), (320, 320)), 0.3, 0.45
    )
    wanted = expected["images"][name]["results"]
    assert found.confidence.tolist() == pytest.approx([row["score"] for row in wanted], abs=0.01)
    assert found.xyxy == pytest.approx(np.array([row["box"] for row in wanted]), abs=2)
