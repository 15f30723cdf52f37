"""The committed detector of the demo street: small, unharmed, and good on seeds it never saw."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import openvino as ov
import pytest
from PIL import Image

from camfleet.decoders import get_decoder
from camfleet.inference.geometry import stretch
from camfleet_capture.demo import StreetScene
from camfleet_contracts.files import sha256_of
from camfleet_contracts.model_manifest import ModelManifest, read_manifest

pytestmark = pytest.mark.long

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from camfleet.detections import Detections

FOLDER = Path(__file__).parents[2] / "models" / "demo-street" / "1"
UNSEEN_SEEDS = (4001, 4002, 4003)
FRAMES_PER_SEED = 12
DAY_S = 300.0
FRAME_SIZE = (640, 360)

Truth = list[tuple[str, tuple[float, float, float, float]]]
Sample = list[tuple["Detections", Truth]]


@pytest.fixture(scope="module")
def manifest() -> ModelManifest:
    manifest = read_manifest(FOLDER)
    assert manifest is not None
    return manifest


@pytest.fixture(scope="module")
def sample(manifest: ModelManifest) -> Sample:
    """What the detector finds in frames of unseen seeds over a whole day, beside the truth."""
    detect = _detector(manifest)
    frames: Sample = []
    for seed in UNSEEN_SEEDS:
        scene = StreetScene(seed)
        for time_s in np.linspace(seed % 10, DAY_S, FRAMES_PER_SEED):
            truth = [(item.label, item.box) for item in scene.objects(float(time_s))]
            frames.append((detect(scene.frame(float(time_s))), truth))
    return frames


def _detector(manifest: ModelManifest) -> Callable[[NDArray[np.uint8]], Detections]:
    assert manifest.preprocess is not None
    assert manifest.preprocess.size is not None
    assert manifest.postprocess is not None
    size, mean = manifest.preprocess.size, np.asarray(manifest.preprocess.mean, np.float32)
    scale = np.asarray(manifest.preprocess.scale, np.float32)
    decode = get_decoder(manifest.postprocess.decoder)
    iou = manifest.postprocess.iou
    model = ov.Core().compile_model(FOLDER / manifest.model_file, "CPU")

    def detect(picture: NDArray[np.uint8]) -> Detections:
        small = Image.fromarray(picture).resize(size, Image.Resampling.BILINEAR)
        images = ((np.asarray(small, np.float32) - mean) * scale).transpose(2, 0, 1)[None]
        outputs = {manifest.outputs[0].name: np.array(model(images)[0])}
        return decode(outputs, manifest, stretch(FRAME_SIZE, size), 0.05, iou)

    return detect


def _overlap(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    width, height = np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])
    common = max(width, 0.0) * max(height, 0.0)
    areas = np.prod(one[2:] - one[:2]) + np.prod(other[2:] - other[:2])
    return float(common / (areas - common))


def _judged(found: Detections, truth: Truth, label: str) -> list[tuple[float, bool]]:
    """(confidence, is right) of each detection of a label; each true box is found once."""
    free = [
        np.multiply(box, FRAME_SIZE * 2).astype(np.float32) for name, box in truth if name == label
    ]
    judged = []
    for index in np.argsort(-found.confidence):
        if found.labels[index] != label:
            continue
        overlaps = [_overlap(found.xyxy[index], box) for box in free]
        is_right = max(overlaps, default=0.0) >= 0.5
        if is_right:
            free.pop(int(np.argmax(overlaps)))
        judged.append((float(found.confidence[index]), is_right))
    return judged


def _average_precision(sample: Sample, label: str) -> float:
    """Area below the interpolated precision-recall curve at IoU 0.5."""
    judged = sorted(
        (item for found, truth in sample for item in _judged(found, truth, label)), reverse=True
    )
    wanted = sum(name == label for _, truth in sample for name, _ in truth)
    right = np.cumsum([is_right for _, is_right in judged])
    precision = np.maximum.accumulate((right / np.arange(1, len(right) + 1))[::-1])[::-1]
    return float(np.sum(np.diff(np.concatenate(([0], right))) * precision) / wanted)


def test_manifest_names_every_file_with_its_sum(manifest: ModelManifest) -> None:
    assert set(manifest.files) == {"model.onnx", "labels.txt"}
    assert {name: sha256_of(FOLDER / name) for name in manifest.files} == manifest.files


def test_manifest_says_what_the_file_has(manifest: ModelManifest) -> None:
    model = ov.Core().read_model(FOLDER / manifest.model_file)

    assert manifest.labels == ("person", "car", "bicycle")
    assert [tuple(port.shape) for port in model.inputs] == [t.shape for t in manifest.inputs]
    assert [tuple(port.shape) for port in model.outputs] == [t.shape for t in manifest.outputs]
    assert model.outputs[0].any_name == manifest.outputs[0].name


def test_model_is_smaller_than_two_megabytes() -> None:
    assert (FOLDER / "model.onnx").stat().st_size < 2_000_000


def test_mean_average_precision_on_unseen_seeds_is_at_least_eighty_percent(sample: Sample) -> None:
    precisions = [_average_precision(sample, label) for label in ("person", "car", "bicycle")]

    assert np.mean(precisions) >= 0.8, precisions
