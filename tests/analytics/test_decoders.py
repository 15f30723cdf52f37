"""Every decoder against the reference answers of the real models."""

from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from camfleet.decoders import UnknownDecoder, decoder_names, get_decoder
from camfleet.decoders.outputs import UnexpectedOutputs, label_of
from camfleet.decoders.suppression import suppress, suppress_by_class
from camfleet.detections import Detections
from camfleet.inference.geometry import stretch
from camfleet_contracts.model_manifest import ModelManifest, parse_manifest
from direct_inference import DirectModel, expected_of, load_direct, read_picture

BOX_MODELS = [
    "fastestdet-coco",
    "yolox-nano-coco",
    "yunet-n",
    "ultraface-rfb320",
    "ultraface-rfb320.tflite",
    "ssd-mobilenet-v1-coco-quant",
]


# The reference pictures were scaled in this way; the service scales all by area.
REFERENCE_SCALING = {
    "yolox-nano-coco": cv2.INTER_LINEAR,
    "ssd-mobilenet-v1-coco-quant": cv2.INTER_LINEAR,
}
QUANTISED = "ssd-mobilenet-v1-coco-quant"  # equal scores make one choice or the other


@pytest.mark.parametrize("name", BOX_MODELS)
def test_decoder_finds_what_the_reference_found(
    name: str, shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scale_as_the_reference(monkeypatch, REFERENCE_SCALING.get(name))
    model, expected = load_direct(shared_data, name), expected_of(shared_data, name)
    for image, reference in expected["images"].items():
        picture = read_picture(shared_data / "media" / "images" / image)
        found = model.detect(picture, expected["threshold"] - 0.1)
        lost = missing(found, reference["results"], expected)
        assert len(lost) <= (name == QUANTISED), (image, lost)


def scale_as_the_reference(monkeypatch: pytest.MonkeyPatch, method: int | None) -> None:
    def scaled(picture: av.VideoFrame, size: tuple[int, int], colour: str) -> Any:
        pixels = picture.to_ndarray(format={"RGB": "rgb24", "BGR": "bgr24"}[colour])
        return cv2.resize(pixels, size, interpolation=method or 0)

    if method is not None:  # the first choice otherwise: area
        monkeypatch.setattr("camfleet.inference.preprocessing.scaled", scaled)


@pytest.mark.parametrize("name", BOX_MODELS)
def test_decoder_finds_nothing_that_the_reference_did_not_find(
    name: str, shared_data: Path
) -> None:
    model, expected = load_direct(shared_data, name), expected_of(shared_data, name)
    for image, reference in expected["images"].items():
        picture = read_picture(shared_data / "media" / "images" / image)
        found = model.detect(picture, expected["threshold"] + 0.1)
        sure = [row for row in reference["results"] if row["score"] >= expected["threshold"]]
        assert len(found) <= len(sure), image


def missing(found: Detections, wanted: list[dict[str, Any]], expected: dict[str, Any]) -> list[Any]:
    """The wanted objects that were found with another label, score or box, or not at all."""
    tolerance = expected["tolerance"]
    return [
        row
        for row in wanted
        if row["score"] >= expected["threshold"] + 0.05
        and not any(
            label == row["label"]
            and abs(score - row["score"]) <= 2 * tolerance["score"]
            and overlap(box, np.array(row["box"])) >= tolerance["box_iou"] - 0.05
            for label, score, box in zip(found.labels, found.confidence, found.xyxy, strict=True)
        )
    ]


def overlap(box: Any, other: Any) -> float:
    sides = np.minimum(box[2:], other[2:]) - np.maximum(box[:2], other[:2])
    shared = float(np.prod(np.maximum(sides, 0)))
    area = float(np.prod(box[2:] - box[:2]) + np.prod(other[2:] - other[:2]))
    return shared / (area - shared)


@pytest.fixture(scope="module")
def classifier(shared_data: Path) -> DirectModel:
    return load_direct(shared_data, "mobilenet-v2-imagenet-quant")


def test_classifier_names_the_best_class_first(classifier: DirectModel, shared_data: Path) -> None:
    expected = expected_of(shared_data, "mobilenet-v2-imagenet-quant")
    for image, reference in expected["images"].items():
        found = classifier.detect(read_picture(shared_data / "media" / "images" / image), 0.1)
        assert found.labels[0] == reference["results"][0]["label"], image


def test_pose_lies_within_three_percent_of_the_reference(shared_data: Path) -> None:
    model = load_direct(shared_data, "movenet-lightning")
    reference = expected_of(shared_data, "movenet-lightning")["images"]["squat.bmp"]
    person = model.detect(read_picture(shared_data / "media" / "images" / "squat.bmp"), 0.1)
    assert person.key_points is not None
    wanted = np.array([[row["x"], row["y"]] for row in reference["results"]])
    assert np.abs(person.key_points[0, :, :2] - wanted).max() <= 0.03 * max(reference["size"])


def test_faces_carry_five_landmarks_inside_their_boxes(shared_data: Path) -> None:
    model = load_direct(shared_data, "yunet-n")
    faces = model.detect(
        read_picture(shared_data / "media" / "images" / "people-3-faces.jpeg"), 0.6
    )
    assert faces.key_points is not None
    points = faces.key_points[:, :, :2]
    assert points.shape == (3, 5, 2)
    assert (points >= faces.xyxy[:, None, :2] - 2).all()
    assert (points <= faces.xyxy[:, None, 2:] + 2).all()


def test_ready_made_ssd_rows_become_frame_pixels() -> None:
    manifest = manifest_of("ssd-detections", ["background", "face"])
    rows = np.asarray(
        [[0, 1, 0.9, 0.1, 0.2, 0.5, 0.6], [0, 1, 0.3, 0, 0, 1, 1], [-1] * 7], np.float32
    )
    found = get_decoder("ssd-detections")(
        {"detection_out": rows[None, None]}, manifest, stretch((1000, 500), (300, 300)), 0.5, 0.4
    )
    assert found.labels == ("face",)
    assert found.xyxy[0] == pytest.approx([100, 100, 500, 300], abs=0.01)


def test_darknet_rows_become_frame_pixels() -> None:
    rows = np.asarray(
        [[0.5, 0.5, 0.2, 0.4, 0.9, 0.0, 0.8], [0.1, 0.1, 0.1, 0.1, 0.1, 0.05, 0]], np.float32
    )
    found = get_decoder("yolo-region")(
        {"a": rows},
        manifest_of("yolo-region", ["car", "dog"]),
        stretch((100, 100), (320, 320)),
        0.3,
        0.4,
    )
    assert found.labels == ("dog",)
    assert found.xyxy[0] == pytest.approx([40, 30, 60, 70], abs=0.01)


def test_scores_without_labels_are_told_once(caplog: pytest.LogCaptureFixture) -> None:
    manifest = manifest_of("classification", ["cat", "dog"])
    scores = {"a": np.array([[0.1, 0.2, 0.9]], np.float32)}
    for _ in range(2):
        found = get_decoder("classification")(scores, manifest, stretch((8, 8), (8, 8)), 0.5, 0.4)
        assert found.labels == ("2",)
    (record,) = caplog.records
    assert "labels=2 scores=3" in record.getMessage()


@pytest.mark.parametrize("decoder", decoder_names())
def test_wrong_tensors_are_refused_with_what_was_expected(decoder: str) -> None:
    with pytest.raises(
        UnexpectedOutputs, match=rf"decoder '{decoder}' expects .*wrong.*`labels` \(7\)"
    ):
        get_decoder(decoder)(
            {"wrong": np.zeros((1, 2, 2, 1, 1), np.float32)},
            manifest_of(decoder, ["a", "b", "c", "d", "e", "f", "g"]),
            stretch((64, 64), (32, 32)),
            0.5,
            0.4,
        )


def test_unknown_decoder_names_those_there_are() -> None:
    with pytest.raises(UnknownDecoder, match=r"'yolo99' does not exist; use one of: .*fastestdet"):
        get_decoder("yolo99")


def test_suppression_keeps_the_better_of_two_overlapping_boxes() -> None:
    boxes = np.asarray([[0, 0, 10, 10], [1, 1, 11, 11], [50, 50, 60, 60]], np.float32)
    assert suppress(boxes, np.asarray([0.6, 0.9, 0.5], np.float32), 0.5).tolist() == [1, 2]


def test_suppression_by_class_leaves_other_classes_alone() -> None:
    boxes, scores = (
        np.asarray([[0, 0, 10, 10], [0, 0, 10, 10]], np.float32),
        np.asarray([0.9, 0.8], np.float32),
    )
    assert suppress_by_class(boxes, scores, np.array([0, 1]), 0.5).tolist() == [0, 1]
    assert suppress_by_class(boxes, scores, np.array([1, 1]), 0.5).tolist() == [0]


def manifest_of(decoder: str, labels: list[str]) -> ModelManifest:
    return parse_manifest(
        {"id": "m", "labels": labels, "postprocess": {"decoder": decoder}}, where="test"
    )


def test_a_class_without_a_label_is_named_by_its_number() -> None:
    manifest = parse_manifest({"labels": ["", "person"]}, where="model.json")
    assert [label_of(manifest, number) for number in range(3)] == ["0", "person", "2"]
