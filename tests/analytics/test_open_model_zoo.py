"""The catalogue's entries of Open Model Zoo: pulled, served and read as their entry says.

Their weights are not at hand here, so a stand-in of the same inputs and outputs is served.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from camfleet.catalog.pull import pull_model
from camfleet.catalog.serving import serve_model
from camfleet.inference.detector import ServerDetector
from camfleet.inference.model_client import ModelClient
from camfleet_contracts.catalog import CatalogEntry, read_catalog
from camfleet_contracts.settings import read_settings
from camfleet_server.runtimes.openvino.api import ov
from fakes_upstream import serving
from model_volume import opset
from real_server import model_server

LABELS = {
    "face-detection-retail-0004": ["face"],
    "person-vehicle-bike-detection-crossroad-0078": ["person", "vehicle", "bike"],
}
PICTURE = av.VideoFrame.from_ndarray(np.full((200, 400, 3), 90, np.uint8), format="bgr24")


def entry_of(repository: Path, name: str) -> CatalogEntry:
    entry = read_catalog(repository / "models" / "catalog.json").find(name)
    assert entry is not None
    return entry


def save_stand_in(folder: Path, name: str, size: tuple[int, int], classes: int) -> None:
    """An IR that answers one box of every class, in the upper left quarter, whatever it sees."""
    picture = opset.parameter([1, 3, size[1], size[0]], np.float32, name="data")
    rows = [[0, number, 0.9, 0.0, 0.0, 0.5, 0.5] for number in range(1, classes + 1)]
    end = [[-1, 0, 0, 0, 0, 0, 0]]
    boxes = opset.constant(np.asarray([[[*rows, *end]]], np.float32))
    mean = opset.reduce_mean(picture, [0, 1, 2, 3], keep_dims=True)
    nothing = opset.multiply(mean, np.float32(0))
    found = opset.add(boxes, nothing, name="detection_out")
    folder.mkdir()
    ov.save_model(ov.Model([found], [picture], name), folder / f"{name}.xml")


def catalogue_with(entry: CatalogEntry, url: str) -> str:
    """The entry as it is, but for the place and the content of its files."""
    document: dict[str, Any] = entry.model_dump(mode="json")
    files = [{"path": file.path, "url": f"{url}/{file.path}"} for file in entry.files]
    return json.dumps({"entries": [document | {"files": files}]})


@pytest.fixture(params=LABELS)
def served(request: pytest.FixtureRequest, repository: Path, tmp_path: Path) -> Iterator[Any]:
    name: str = request.param
    entry = entry_of(repository, name)
    way = entry.manifest["preprocess"]
    save_stand_in(tmp_path / "origin", name, tuple(way["size"]), len(LABELS[name]))
    settings = read_settings(models_dir=tmp_path / "models", cache_dir=tmp_path / "cache")
    settings.models_dir.mkdir()
    with serving() as upstream:
        origin = (tmp_path / "origin").iterdir()
        upstream.files = {f"/{path.name}": path.read_bytes() for path in origin}
        catalogue = settings.models_dir / "catalog.json"
        catalogue.write_text(catalogue_with(entry, upstream.url))
        pulled = pull_model(settings, name, lambda *_: None)
    assert [warning.partition(" (")[0] for warning in pulled.warnings] == [
        "without the text of its licence"
    ]
    serve_model(settings.models_dir, name)
    with model_server(settings.models_dir / "config.json", [name]) as (_, address):
        yield name, address


def test_an_entry_is_served_and_its_answers_have_its_labels(served: tuple[str, str]) -> None:
    name, address = served
    client = ModelClient(address)
    try:
        found = ServerDetector(client).detect(PICTURE, name, 0.5).detections
    finally:
        client.close()
    assert list(found.labels) == LABELS[name]
    assert found.xyxy.round().tolist() == [[0, 0, 200, 100]] * len(LABELS[name])


def test_files_come_from_the_zoo_and_those_of_known_content_are_checked(repository: Path) -> None:
    faces = entry_of(repository, "face-detection-retail-0004")
    crossing = entry_of(repository, "person-vehicle-bike-detection-crossroad-0078")
    for entry in (faces, crossing):
        assert entry.licence == "Apache-2.0"
        for file in entry.files[:2]:
            assert file.url.startswith("https://storage.openvinotoolkit.org/repositories/")
            assert file.size
    assert all(file.sha256 for file in crossing.files[:2])
    assert all(file.sha384 and not file.sha256 for file in faces.files[:2])
    assert "pinned on first pull" in faces.description
