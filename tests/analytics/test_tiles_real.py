"""Tiles with real models behind a real server: what is found more, in one request where it can."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from camfleet.detections import Detections
from camfleet.inference.batches import takes_batch
from camfleet.inference.detector import ServerDetector
from camfleet.inference.model_client import ModelClient
from camfleet.inference.tiling import TiledDetector
from camfleet_contracts.stages import Tiles
from direct_inference import expected_of, read_picture
from real_server import model_server, volume_of

pytestmark = pytest.mark.long

MODELS = ("fastestdet-coco", "ultraface-rfb320")  # a graph for one picture, and one for batches
SIZE, COLUMNS = (1920, 1080), 3
Truth = list[tuple[str, NDArray[np.float32]]]


@pytest.fixture(scope="module")
def client(
    tmp_path_factory: pytest.TempPathFactory, repository: Path, shared_data: Path
) -> Iterator[ModelClient]:
    config = volume_of(tmp_path_factory.mktemp("tiles"), repository, shared_data, MODELS)
    document = json.loads(config.read_text())
    for entry in document["model_config_list"]:
        if entry["config"]["name"] == "ultraface-rfb320":
            entry["config"]["batch_size"] = "auto"
    config.write_text(json.dumps(document))
    with model_server(config, MODELS) as (_, address):
        client = ModelClient(address)
        yield client
        client.close()


def mosaic(shared_data: Path) -> tuple[av.VideoFrame, Truth]:
    """Nine small pictures in a large one, and what the reference finds in each of them alone."""
    images: dict[str, Any] = expected_of(shared_data, "fastestdet-coco")["images"]
    canvas, truth = np.full((SIZE[1], SIZE[0], 3), 114, np.uint8), Truth()
    width, height = SIZE[0] // COLUMNS, SIZE[1] // COLUMNS
    for number in range(COLUMNS**2):
        name = sorted(images)[number % len(images)]
        whole = cv2.imread(str(shared_data / "media" / "images" / name))
        assert whole is not None
        scale = min(width / whole.shape[1], height / whole.shape[0])
        small = cv2.resize(whole, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        x, y = number % COLUMNS * width, number // COLUMNS * height
        canvas[y : y + small.shape[0], x : x + small.shape[1]] = small
        for found in images[name]["results"]:
            if found["score"] >= 0.6:
                box = np.asarray(found["box"], np.float32) * scale + np.asarray([x, y, x, y])
                truth.append((found["label"], box.astype(np.float32)))
    return av.VideoFrame.from_ndarray(canvas, format="bgr24"), truth


def hits(found: Detections, truth: Truth) -> int:
    """How many true objects were found."""
    pairs = list(zip(found.labels, found.xyxy, strict=True))
    return sum(
        any(label == one and overlap(box, other) > 0.4 for one, other in pairs)
        for label, box in truth
    )


def overlap(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    sides = np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])
    shared = np.maximum(sides, 0).prod()
    areas = (one[2:] - one[:2]).prod() + (other[2:] - other[:2]).prod()
    return float(shared / (areas - shared))


def test_small_objects_are_found_in_tiles_several_times_as_often(
    client: ModelClient, shared_data: Path
) -> None:
    picture, truth = mosaic(shared_data)
    detector = ServerDetector(client)
    whole = detector.detect(picture, "fastestdet-coco", 0.5).detections
    tiled = TiledDetector(detector, Tiles(grid=(3, 3)))
    parts = tiled.detect(picture, "fastestdet-coco", 0.5).detections
    assert len(truth) > 40
    assert hits(parts, truth) > 3 * hits(whole, truth)
    assert hits(parts, truth) > 0.75 * len(truth)


def test_faces_come_from_one_request_and_each_is_told_once(
    client: ModelClient, shared_data: Path
) -> None:
    name = "people-group-10.jpeg"
    picture = read_picture(shared_data / "media" / "images" / name)
    reference = expected_of(shared_data, "ultraface-rfb320")["images"][name]["results"]
    detector = ServerDetector(client)
    found = TiledDetector(detector, Tiles()).detect(picture, "ultraface-rfb320", 0.7).detections
    true = [("face", np.asarray(face["box"], np.float32)) for face in reference]
    assert takes_batch(client.current("ultraface-rfb320"), 5)
    assert detector._apart == set()
    assert hits(found, true) == len(true)
    known = [box for box in found.xyxy if any(overlap(box, face) > 0.2 for _, face in true)]
    assert len(known) == len(true)
