"""Detect, crop, classify and detect, crop, detect with real models behind a real server."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from camfleet.inference.detector import ServerDetector
from camfleet.inference.model_client import ModelClient
from camfleet.service.pipeline import Pipeline, Surroundings
from direct_inference import expected_of, read_picture
from fakes_analytics import CollectingPublisher, NoLiveCamera, ScriptedSource, camera, frame
from real_server import model_server, volume_of
from waiting import wait_until

pytestmark = pytest.mark.long

MODELS = ("fastestdet-coco", "mobilenet-v2-imagenet-quant", "ultraface-rfb320")
SETTINGS = """{fps: 10, results_rate: 10, model: fastestdet-coco, cascade: [
  {name: breed, model: mobilenet-v2-imagenet-quant, labels: [dog]},
  {name: face, model: ultraface-rfb320, labels: [person], confidence: 0.7},
  {name: absent, model: no-such-model}]}"""


@pytest.fixture(scope="module")
def address(
    tmp_path_factory: pytest.TempPathFactory, repository: Path, shared_data: Path
) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("cascades")
    with model_server(volume_of(folder, repository, shared_data, MODELS), MODELS) as (_, at):
        yield at


class Camera:
    """A camera that sees one picture again and again."""

    def __init__(self, picture: Path, detector: ServerDetector) -> None:
        self.source, self.publisher = ScriptedSource(), CollectingPublisher()
        around = Surroundings(detector, self.publisher, "box")
        self.pipeline = Pipeline(camera(SETTINGS), self.source, NoLiveCamera(), around, {})
        self._seen, self._numbers = read_picture(picture), iter(range(1_000_000))

    def show(self) -> None:
        self.source.slot.put(replace(frame(next(self._numbers)), picture=self._seen))

    def attributes(self, name: str, count: int) -> list[dict[str, Any]]:
        """What the objects of the newest result have under a name, once so many have it."""
        self.show()
        results = self.publisher.results
        objects = results[-1].results["objects"] if results else []
        known = [one["attributes"] for one in objects if "attributes" in one]
        found = [attributes[name] for attributes in known if name in attributes]
        return found if len(found) >= count else []


@contextmanager
def looking_at(picture: Path, address: str) -> Iterator[Camera]:
    client = ModelClient(address)
    looking = Camera(picture, ServerDetector(client))
    looking.pipeline.start()
    try:
        yield looking
    finally:
        looking.pipeline.stop(10)
        client.close()


def test_each_dog_has_a_breed_of_its_own(address: str, shared_data: Path) -> None:
    with looking_at(shared_data / "media" / "images" / "pets-2-dogs.jpg", address) as dogs:
        breeds = wait_until(lambda: dogs.attributes("breed", 2), 120, "two breeds")
    assert len({breed["label"] for breed in breeds}) == 2
    assert all(breed["model_id"] == "mobilenet-v2-imagenet-quant" for breed in breeds)
    assert all(breed["confidence"] >= 0.3 for breed in breeds)


def test_faces_are_found_in_persons_where_the_reference_has_them(
    address: str, shared_data: Path
) -> None:
    picture = shared_data / "media" / "images" / "people-3-faces.jpeg"
    with looking_at(picture, address) as people:
        found = wait_until(lambda: people.attributes("face", 2), 120, "two faces")
    reference = expected_of(shared_data, "ultraface-rfb320")["images"][picture.name]["results"]
    true = [face["box"] for face in reference]
    faces = [face["predictions"][0]["box"] for face in found]
    assert all(any(is_inside(face, box) for box in true) for face in faces)


def is_inside(face: dict[str, float], box: list[float]) -> bool:
    """Whether the middle of a face lies in a box."""
    return box[0] < face["center_x"] < box[2] and box[1] < face["center_y"] < box[3]


def test_a_model_that_is_not_served_costs_its_attribute_only(
    address: str, shared_data: Path
) -> None:
    with looking_at(shared_data / "media" / "images" / "pets-2-dogs.jpg", address) as dogs:
        wait_until(lambda: dogs.attributes("breed", 2), 120, "breeds")
        absent = dogs.pipeline.cascades[2]
        wait_until(lambda: absent.asker.state.state == "failed", 60, "the state of the absent one")
        assert "camfleet model pull no-such-model" in str(absent.asker.state.reason)
        assert dogs.attributes("absent", 1) == []
        assert dogs.pipeline.model.state == "ok"
        assert dogs.pipeline.statistics.failed == 0
