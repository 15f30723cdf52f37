from pathlib import Path

import pytest

from camfleet.decoders import decoder_names
from camfleet_contracts.cameras_file import read_cameras
from camfleet_contracts.catalog import read_catalog
from camfleet_contracts.model_manifest import parse_manifest
from camfleet_contracts.serving_config import read_serving_config

EXAMPLES = ("one-usb", "four-usb", "ip-with-substream", "two-boxes")
ZOO = "https://storage.openvinotoolkit.org/repositories/open_model_zoo/"
ZOO_MODELS = ("face-detection-retail-0004", "person-vehicle-bike-detection-crossroad-0078")
LATER = {"segmentation", "embedding", "tflite-detections"}  # decoders of models that can be pulled


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_valid_and_says_what_it_shows(repository: Path, name: str) -> None:
    path = repository / "models" / "examples" / f"{name}.yaml"
    assert read_cameras(path).cameras
    assert path.read_text().startswith("# ")


def test_every_example_is_listed_here(repository: Path) -> None:
    found = {path.stem for path in (repository / "models" / "examples").glob("*.yaml")}
    assert found == set(EXAMPLES)


def test_the_seed_serves_the_model_of_its_camera(repository: Path) -> None:
    config = read_serving_config(repository / "models" / "config.json")
    assert not config.warnings
    camera = read_cameras(repository / "models" / "cameras.yaml").cameras[0]
    assert camera.source == "demo:street?seed=7"
    assert [line.name for line in camera.pipeline.lines] == ["gate"]
    assert camera.pipeline.model in {model.name for model in config.models}


def test_the_commented_cameras_of_the_seed_are_valid_too(repository: Path, tmp_path: Path) -> None:
    text = (repository / "models" / "cameras.yaml").read_text()
    path = tmp_path / "cameras.yaml"
    path.write_text("\n".join(line.removeprefix("#") for line in _from_cameras(text)))
    names = [camera.name for camera in read_cameras(path).cameras]
    assert names == ["street", "desk", "front-door", "clip"]


def _from_cameras(text: str) -> list[str]:
    lines = text.splitlines()
    return lines[lines.index("cameras:") :]


def test_every_entry_of_the_catalogue_has_a_whole_manifest(repository: Path) -> None:
    for entry in read_catalog(repository / "models" / "catalog.json").entries:
        manifest = parse_manifest(entry.manifest, where=entry.name)
        files = {file.path for file in entry.files}
        assert {manifest.model_file, "LICENSE"} <= files
        assert manifest.preprocess is not None
        assert manifest.postprocess is not None
        assert manifest.postprocess.decoder in {*decoder_names(), *LATER}


def test_every_address_of_the_catalogue_is_pinned_to_a_commit_or_release(
    repository: Path,
) -> None:
    entries = read_catalog(repository / "models" / "catalog.json").entries
    urls = [file.url for entry in entries for file in entry.files]
    of_zoo = [url for url in urls if url.startswith(ZOO)]
    assert all(len(url.split("/")[5]) == 40 for url in urls if url not in of_zoo)
    assert all(url.removeprefix(ZOO).split("/")[0] in {"2021.2", "2022.1"} for url in of_zoo)


def test_only_files_of_the_zoo_and_licences_are_pinned_on_first_pull(repository: Path) -> None:
    entries = read_catalog(repository / "models" / "catalog.json").entries
    unknown = {
        (entry.name, file.path) for entry in entries for file in entry.files if not file.sha256
    }
    faces, crossing = ZOO_MODELS
    assert unknown == {
        (faces, f"{faces}.xml"),
        (faces, f"{faces}.bin"),
        (faces, "LICENSE"),
        (crossing, "LICENSE"),
    }


def test_the_catalogue_has_the_models_of_the_shared_data(
    repository: Path, shared_data: Path
) -> None:
    found = {entry.name for entry in read_catalog(repository / "models" / "catalog.json").entries}
    folders = {path.name for path in (shared_data / "models").iterdir()}
    assert folders - found == {"yolox-nano-coco", "ovms-test-models"}
    variants = {"ultraface-rfb320-caffe", "ultraface-rfb320-tflite"}
    assert found - folders == {*variants, *ZOO_MODELS}
