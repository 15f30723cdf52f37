"""One model name, two versions with different inputs and decoders, swapped while frames flow."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from camfleet_contracts.serving_config import edit_serving_config
from camfleet_contracts.volume import publish_version
from fleet_of_processes import Messages, listening, running_fleet, wait_for_state
from waiting import wait_until

pytestmark = [pytest.mark.fleet, pytest.mark.long]

SWAPS = 6
STREET_LABELS = {"person", "car", "bicycle"}
CAMERAS = ("a", "b")
CAMERAS_FILE = """\
version: 1
cameras:
  - {name: a, source: "demo:street?seed=7", pipeline: {model: detector, fps: 15, results_rate: 120}}
  - {name: b, source: "demo:street?seed=8", pipeline: {model: detector, fps: 15, results_rate: 120}}
"""


@dataclass(frozen=True)
class Swapped:
    """What came of the swaps."""

    messages: Messages
    lost: dict[str, int]  # frames without an answer, by camera
    log: str


def publish_both(repository: Path, shared_data: Path, models: Path) -> None:
    """Version 1 is the demo's detector (yolox decoder), version 2 fastestdet."""
    catalog = json.loads((repository / "models" / "catalog.json").read_text())
    entry = next(e for e in catalog["entries"] if e["name"] == "fastestdet-coco")

    def fill_demo(folder: Path) -> None:
        shutil.copytree(repository / "models" / "demo-street" / "1", folder, dirs_exist_ok=True)

    def fill_coco(folder: Path) -> None:
        source = shared_data / "models" / "fastestdet-coco"
        shutil.copy(source / "FastestDet.onnx", folder)
        shutil.copy(source / "coco.names", folder)
        own = {"model_file": "FastestDet.onnx", "label_file": "coco.names"}
        (folder / "model.json").write_text(json.dumps(entry["manifest"] | own))

    publish_version(models, "detector", 1, fill_demo)
    publish_version(models, "detector", 2, fill_coco)


def select(models: Path, version: int) -> None:
    with edit_serving_config(models / "config.json") as document:
        policy = {"specific": {"versions": [version]}}
        entry = {"name": "detector", "base_path": "detector", "model_version_policy": policy}
        document["model_config_list"] = [{"config": entry}]


@pytest.fixture(scope="module")
def swapped(
    repository: Path, shared_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Swapped]:
    """A run over several swaps, each waited for."""
    folder = tmp_path_factory.mktemp("swap")
    models = folder / "models"
    models.mkdir()
    publish_both(repository, shared_data, models)
    select(models, 1)
    (folder / "cameras.yaml").write_text(CAMERAS_FILE)
    with running_fleet(folder) as fleet, listening(fleet) as messages:
        for name in CAMERAS:
            wait_for_state(fleet, name, "LIVE")
        wait_for_version(messages, 1)  # frames may come before the first model has been loaded
        lost_before = {name: fleet.status(name)["frames"]["failed"] for name in CAMERAS}
        for number in range(SWAPS):
            select(models, 1 + number % 2)
            wait_for_version(messages, 1 + number % 2)
        lost = {name: fleet.status(name)["frames"]["failed"] for name in CAMERAS}
        yield Swapped(
            messages, {name: lost[name] - lost_before[name] for name in CAMERAS}, fleet.log()
        )


def wait_for_version(messages: Messages, version: int) -> None:
    wait_until(lambda: newest_versions(messages) == {version}, 120, f"answers of version {version}")


def newest_versions(messages: Messages) -> set[int]:
    results = [messages.of(camera, "TrackingResults") for camera in CAMERAS]
    return {found[-1][1]["results"]["model_version"] for found in results if found}


def test_no_frame_is_decoded_with_the_other_version(swapped: Swapped) -> None:
    found = [swapped.messages.of(camera, "TrackingResults") for camera in CAMERAS]
    results = [message["results"] for told in found for _, message in told]
    of_demo = [r for r in results if r["model_version"] == 1]
    labels = {o["ObjectDetectionPrediction"]["label"] for r in of_demo for o in r["objects"]}
    assert of_demo
    assert labels <= STREET_LABELS
    boxes = [o["ObjectDetectionPrediction"]["box"] for r in results for o in r["objects"]]
    assert all(0 <= box["start_x"] < box["end_x"] <= 640 for box in boxes)


def test_no_frame_is_lost_and_versions_changed_exactly_as_often_as_told(swapped: Swapped) -> None:
    for camera in CAMERAS:
        told = swapped.messages.of(camera, "TrackingResults")
        found = [message["results"]["model_version"] for _, message in told]
        changes = sum(1 for old, new in pairwise(found) if old != new)
        assert changes == SWAPS - 1
    assert swapped.lost == {"a": 0, "b": 0}, swapped.log
