"""What the images hold: all that their services import, nothing that only a laptop needs."""

import json
import subprocess
from pathlib import Path

import pytest

import image_imports
from container_fleet import SERVICES, ContainerFleet
from image_imports import IN_IMAGE

pytestmark = pytest.mark.containers


@pytest.mark.parametrize("service", SERVICES)
def test_an_image_imports_every_module_of_its_service(
    built_fleet: ContainerFleet, service: str
) -> None:
    asked = image_imports.arguments(service, built_fleet.image_of(service))

    image_imports.check(built_fleet.docker(*asked, timeout_s=180))


USES_TRACKERS_AND_ZONES = """
import numpy as np
import cv2, supervision as sv, trackers
found = {"confidence": np.array([0.9]), "class_id": np.array([0])}
boxes = sv.Detections(xyxy=np.array([[1.0, 1, 9, 9]]), **found)
for kind in (trackers.ByteTrackTracker, trackers.SORTTracker):
    for _frame in range(4):
        tracked = kind().update(boxes)
zone = sv.PolygonZone(polygon=np.array([[0, 0], [20, 0], [20, 20], [0, 20]]))
picture = np.zeros((32, 32, 3), np.uint8)
sv.BoxAnnotator().annotate(picture, boxes)
sv.PolygonZoneAnnotator(zone=zone, color=sv.Color.RED).annotate(picture)
print(zone.trigger(boxes).tolist(), bool(picture.any()))
"""


def test_trackers_zones_and_drawing_work_without_what_charts_need(
    built_fleet: ContainerFleet,
) -> None:
    program = ("--entrypoint", "python", built_fleet.image_of("analytics"), "-c")
    told = built_fleet.docker(*IN_IMAGE, *program, USES_TRACKERS_AND_ZONES, timeout_s=180)

    assert told.splitlines()[-1] == "[True] True"


LIST_PACKAGES = """
import importlib.metadata, json, shutil
names = sorted(one.metadata["Name"].lower() for one in importlib.metadata.distributions())
programs = [name for name in ("gcc", "cc", "g++", "make", "git") if shutil.which(name)]
print(json.dumps({"packages": names, "programs": programs}))
"""


@pytest.mark.parametrize("service", SERVICES)
def test_no_compiler_no_tensorflow_and_no_other_opencv_is_in_an_image(
    built_fleet: ContainerFleet, service: str
) -> None:
    program = ("--entrypoint", "python", built_fleet.image_of(service), "-c", LIST_PACKAGES)
    told = json.loads(built_fleet.docker(*IN_IMAGE, *program))

    assert told["programs"] == []
    assert not {"tensorflow", "tensorflow-cpu", "torch"} & set(told["packages"])
    opencv = [name for name in told["packages"] if name.startswith("opencv")]
    assert opencv in ([], ["opencv-contrib-python-headless"])


@pytest.mark.parametrize("service", SERVICES)
def test_an_image_tells_what_it_is(built_fleet: ContainerFleet, service: str) -> None:
    template = ("--format", "{{json .Config}}", built_fleet.image_of(service))
    config = json.loads(built_fleet.docker("image", "inspect", *template))
    labels = {name.rpartition(".")[2]: text for name, text in config["Labels"].items()}

    assert labels["title"] == f"camfleet {service.replace('-', ' ')}"
    assert labels["version"]
    assert labels["licenses"] == "Apache-2.0"
    assert config["User"] == "10001:10001"
    assert config["Healthcheck"]


def test_no_image_is_larger_than_its_limit(
    built_fleet: ContainerFleet, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pairs = [f"{service}={built_fleet.image_of(service)}" for service in SERVICES]
    command = [str(repository / "tools" / "image_sizes.sh"), *pairs]
    told = subprocess.run(
        command, env=built_fleet.environment, capture_output=True, text=True, check=False
    )

    with capsys.disabled():
        print(f"\n{told.stdout}")  # noqa: T201 - figures that people want to see
    assert told.returncode == 0, told.stderr
