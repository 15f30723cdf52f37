"""Each file of models/examples runs as a fleet, with films in place of its devices and cameras."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import av
import pytest

from camfleet_capture.demo import FRAMES_PER_SECOND, StreetScene
from camfleet_contracts.cameras import source_kind
from camfleet_contracts.cameras_edit import edit_cameras
from camfleet_contracts.cameras_file import read_cameras
from fleet_of_processes import (
    Fleet,
    Messages,
    empty_fleet,
    listening,
    start_analytics,
    start_capture,
    start_server,
)
from waiting import wait_until

pytestmark = [pytest.mark.fleet, pytest.mark.long]

FILM_S = 4
EMPTY = "version: 1\ncameras: []\n"
MODELS = ("fastestdet-coco", "yunet-n")  # what the examples name; the demo's model stands for both
PASSWORDS = {"FRONT_DOOR": "user:password", "RECEPTION": "user:password"}


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some seconds of the demo street as a file."""
    path = tmp_path_factory.mktemp("film") / "street.mp4"
    scene = StreetScene(seed=7)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FRAMES_PER_SECOND)
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        for number in range(FILM_S * FRAMES_PER_SECOND):
            pixels = scene.frame(60 + number / FRAMES_PER_SECOND)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    return path


@contextmanager
def box(folder: Path) -> Iterator[Fleet]:
    """A machine without a camera yet, with folders of its own."""
    folder.mkdir()
    (folder / "cameras.yaml").write_text(EMPTY)
    with empty_fleet(folder) as fleet:
        fleet.env.update(PASSWORDS)
        yield fleet


@pytest.fixture(scope="module")
def network_cameras(film: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of two cameras in the network: they are films of another box."""
    with box(tmp_path_factory.mktemp("network") / "cameras") as cameras:
        with edit_cameras(cameras.folder / "cameras.yaml") as document:
            document["cameras"] += [{"name": f"live{n}", "source": str(film)} for n in (1, 2)]
        start_capture(cameras)
        yield cameras.env["CAMFLEET_CAPTURE"]


def publish_models(fleet: Fleet, repository: Path) -> None:
    folder = fleet.folder / "models"
    shutil.copytree(repository / "models" / "demo-street", folder / "demo-street")
    entries = [{"config": {"name": name, "base_path": "demo-street"}} for name in MODELS]
    (folder / "config.json").write_text(json.dumps({"model_config_list": entries}))


@pytest.fixture(scope="module")
def one_box(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with box(tmp_path_factory.mktemp("one") / "box") as fleet:
        publish_models(fleet, repository)
        start_capture(fleet)
        start_server(fleet)
        start_analytics(fleet)
        yield fleet


def use_example(fleet: Fleet, example: Path, film: Path, network: str) -> list[str]:
    """Make the example the fleet's cameras.yaml, on films, and return the names of its cameras."""
    draft = fleet.folder / "example.yaml"
    shutil.copy(example, draft)
    numbers = count(1)
    with edit_cameras(draft) as document:
        for camera in document["cameras"]:
            for key in {"source", "detect_source"} & camera.keys():
                is_network = source_kind(camera[key]) == "rtsp"
                camera[key] = f"{network}/live{next(numbers)}" if is_network else str(film)
    draft.replace(fleet.folder / "cameras.yaml")
    return [camera.name for camera in read_cameras(fleet.folder / "cameras.yaml").cameras]


def boxes(messages: Messages, camera: str) -> list[dict[str, Any]]:
    results = [message["results"] for _, message in messages.of(camera, "TrackingResults")]
    return [found for result in results for found in result["objects"]]


def wait_for_boxes(fleet: Fleet, names: list[str]) -> None:
    with listening(fleet) as messages:
        for name in names:
            try:
                wait_until(partial(boxes, messages, name), 60, f"a box of {name}")
            except AssertionError as error:
                raise AssertionError(f"{error}\n{fleet.status(name)}\n{fleet.log()}") from error


@pytest.mark.parametrize("example", ["one-usb", "four-usb", "ip-with-substream"])
def test_every_camera_of_an_example_delivers_boxes(
    repository: Path, one_box: Fleet, film: Path, network_cameras: str, example: str
) -> None:
    path = repository / "models" / "examples" / f"{example}.yaml"
    wait_for_boxes(one_box, use_example(one_box, path, film, network_cameras))


def test_two_boxes_share_nothing_but_the_file_of_cameras(
    repository: Path, film: Path, network_cameras: str, tmp_path: Path
) -> None:
    example = repository / "models" / "examples" / "two-boxes.yaml"
    with box(tmp_path / "small") as small, box(tmp_path / "strong") as strong:
        start_capture(small)
        for name in ("CAMFLEET_CAPTURE", "CAMFLEET_CAPTURE_HTTP"):
            strong.env[name] = small.env[name]
        publish_models(strong, repository)
        start_server(strong)
        start_analytics(strong)
        names = use_example(small, example, film, network_cameras)
        shutil.copy(small.folder / "cameras.yaml", strong.folder / "cameras.yaml")
        wait_for_boxes(strong, names)
