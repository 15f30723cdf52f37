"""Decoders whose answer is more than boxes: masks, embeddings, heat maps; and TFLite's own."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from camfleet.decoders import get_decoder
from camfleet.decoders.masks import over_frame
from camfleet.detections import Detections
from camfleet.inference.geometry import Resize, crop, letterbox, stretch
from camfleet.predictions import base_service, predictions_of
from camfleet_contracts.model_manifest import parse_manifest
from direct_inference import expected_of, load_direct, read_picture

FRAME = (640, 320)


def decoded(
    decoder: str,
    tensors: dict[str, NDArray[Any]],
    resize: Resize,
    labels: tuple[str, ...] = ("background", "cat", "dog"),
    **parameters: Any,
) -> Detections:
    document = {"labels": labels, "postprocess": {"decoder": decoder, "parameters": parameters}}
    manifest = parse_manifest({"id": "m", **document}, where="test")
    return get_decoder(decoder)(tensors, manifest, resize, 0.5, 0.45)


def test_real_segmentation_gives_the_classes_and_masks_of_the_reference(shared_data: Path) -> None:
    model = load_direct(shared_data, "deeplabv3-mnv2-dm05-voc")
    expected = expected_of(shared_data, "deeplabv3-mnv2-dm05-voc")
    for image, reference in expected["images"].items():
        found = model.detect(read_picture(shared_data / "media" / "images" / image), 0.5)
        areas = {one.label: one.area for one in predictions_of(found)}
        for label, fraction in reference["class_fractions"].items():
            if label != "background":  # scaled by area here, so the borders differ a little
                assert areas.pop(label, 0.0) == pytest.approx(fraction, abs=0.01), (image, label)
        assert sum(area or 0 for area in areas.values()) < 0.01, image
        mask = cv2.imread(str(shared_data / "expected" / reference["mask_png"]), 0)
        assert found.masks is not None
        best = int(found.masks.sum(axis=(1, 2)).argmax())
        ours = found.masks[best]
        theirs = (
            cv2.resize(mask, ours.shape[::-1], interpolation=cv2.INTER_NEAREST)
            == found.class_id[best]
        )
        assert (ours & theirs).sum() / (ours | theirs).sum() > 0.9, image


def test_scores_of_classes_give_their_mean_as_confidence() -> None:
    scores = np.zeros((1, 3, 4, 4), np.float32)
    scores[0, 0] = 1
    scores[0, 2, 1:3, 1:3] = [[2, 4], [2, 4]]
    for tensor in (scores, scores.transpose(0, 2, 3, 1)):
        found = decoded("segmentation", {"scores": tensor}, stretch(FRAME, (4, 4)))
        assert found.labels == ("dog",)
        assert found.confidence.tolist() == [3]
        assert found.xyxy.tolist() == [[160, 80, 480, 240]]


def test_masks_of_a_letterboxed_frame_leave_out_its_bars() -> None:
    classes = np.full((1, 8, 8), 2)  # dog everywhere, also on the bars
    found = decoded("segmentation", {"classes": classes}, letterbox(FRAME, (64, 64), centred=True))
    assert found.masks is not None
    assert found.masks.shape == (1, 4, 8)
    assert found.masks.all()


def test_what_a_crop_did_not_see_is_background() -> None:
    grid = over_frame(np.ones((1, 4, 4)), crop(FRAME, (64, 64)), 0.0)
    assert grid[0].tolist() == [[0, 0, 1, 1, 1, 1, 0, 0]] * 4


def test_frame_without_classes_gives_nothing() -> None:
    assert not len(decoded("segmentation", {"c": np.zeros((1, 4, 4))}, stretch(FRAME, (4, 4))))


def test_real_embeddings_are_nearer_for_the_same_thing(shared_data: Path) -> None:
    model = load_direct(shared_data, "mobilenet-v1-embedding")
    folder = shared_data / "media" / "images"
    cat = read_picture(folder / "cat.bmp")
    vectors = [
        model.detect(picture, 0.5).embeddings
        for picture in (cat, cat, read_picture(folder / "airliner.jpeg"))
    ]
    same, again, other = (vector[0] for vector in vectors if vector is not None)
    assert same.shape == (1024,)
    assert np.linalg.norm(same) == pytest.approx(1)
    assert same @ again == pytest.approx(1)
    assert same @ other < 0.9


@pytest.mark.parametrize(
    "names",
    [
        ("post", "post:1", "post:2", "post:3"),
        ("StatefulPartitionedCall:1", "detection_classes", "a_detection_scores", "num"),
    ],
)
def test_tflite_outputs_are_told_apart_by_their_names(names: tuple[str, ...]) -> None:
    boxes = np.array([[[0.25, 0.1, 0.5, 0.2], [0, 0, 1, 1], [0, 0, 1, 1]]], np.float32)
    classes, scores = np.array([[1.0, 0, 1]], np.float32), np.array([[0.9, 0.6, 0.8]], np.float32)
    rows = dict(zip(names, (boxes, classes, scores, np.array([2], np.float32)), strict=True))
    found = decoded("tflite-detections", rows, stretch(FRAME, (300, 300)), label_offset=1)
    assert found.labels == ("dog", "cat")  # the third row is none: the model says there are two
    assert found.xyxy[0] == pytest.approx([64, 80, 128, 160], abs=0.01)


def test_heat_maps_put_key_points_where_they_are_highest() -> None:
    maps = np.zeros((1, 3, 10, 20), np.float32)
    maps[0, 0, 4, 10], maps[0, 0, 4, 11] = 0.9, 0.5  # leans to the right
    maps[0, 1, 8, 2], maps[0, 1, 7, 2] = 0.8, 0.5  # leans upwards
    maps[0, 2, 0, 0] = 0.7
    for tensor in (maps, maps.transpose(0, 2, 3, 1)):
        found = decoded(
            "pose-heatmaps", {"m": tensor}, stretch(FRAME, (320, 160)), ("person",), key_points=3
        )
        assert found.labels == ("person",)
        assert found.confidence[0] == pytest.approx(0.8)
        assert found.key_points is not None
        cell = 32  # frame pixels
        assert found.key_points[0] == pytest.approx(
            np.array(
                [
                    [10.75 * cell, 4.5 * cell, 0.9],
                    [2.5 * cell, 8.25 * cell, 0.8],
                    [0.5 * cell, 0.5 * cell, 0.7],
                ]
            )
        )


@pytest.mark.parametrize(
    ("decoder", "service"),
    [
        ("segmentation", "SemanticSegmentation"),
        ("embedding", "ReIdentification"),
        ("pose-heatmaps", "PoseEstimation"),
        ("yolov8", "ObjectDetection"),
    ],
)
def test_results_name_the_kind_of_service(decoder: str, service: str) -> None:
    manifest = parse_manifest({"postprocess": {"decoder": decoder}}, where="test")
    assert base_service(manifest) == service


def test_chosen_rows_keep_their_masks_and_embeddings() -> None:
    found = Detections(
        xyxy=np.zeros((2, 4), np.float32),
        confidence=np.array([0.9, 0.8], np.float32),
        class_id=np.array([0, 1]),
        labels=("a", "b"),
        masks=np.array([[[True]], [[False]]]),
        embeddings=np.eye(2, dtype=np.float32),
    ).select(np.array([1]))
    assert found.masks is not None
    assert found.embeddings is not None
    assert found.masks.tolist() == [[[False]]]
    assert found.embeddings.tolist() == [[0, 1]]
