"""Ultralytics exports are served with what they say of themselves; model.json comes first."""

import json
from pathlib import Path

import onnx
import pytest
from onnx import helper

from camfleet_contracts.catalog import Catalog
from camfleet_contracts.model_manifest import ModelManifest
from camfleet_server.reload.manifests import find_manifest, with_decoder
from loaded_models import load, save_scaler, source_of

NOTES = {"task": "classify", "stride": "1", "names": "{0: 'cat', 1: 'dog'}", "imgsz": "[4, 6]"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = save_scaler(tmp_path / "best.onnx")
    model = onnx.load(path)
    helper.set_model_props(model, NOTES)
    onnx.save(model, path)
    return tmp_path


def served(folder: Path) -> ModelManifest:
    manifest = find_manifest("best", folder, {}, Catalog())
    servable = load(folder / "best.onnx")
    source = source_of(folder, manifest.model_dump())
    return with_decoder(source, servable)


def test_labels_pictures_and_decoder_come_from_the_file(folder: Path) -> None:
    manifest = served(folder)
    assert manifest.labels == ("cat", "dog")
    assert manifest.preprocess is not None
    assert (manifest.preprocess.resize, manifest.preprocess.size) == ("crop", (6, 4))
    assert manifest.postprocess is not None
    assert manifest.postprocess.decoder == "classification"


def test_what_model_json_says_comes_first(folder: Path) -> None:
    own = {
        "labels": ["chat", "chien"],
        "preprocess": {"resize": "stretch"},
        "postprocess": {"decoder": "embedding"},
    }
    (folder / "model.json").write_text(json.dumps(own))
    manifest = served(folder)
    assert manifest.labels == ("chat", "chien")
    assert manifest.preprocess is not None
    assert manifest.preprocess.resize == "stretch"
    assert manifest.postprocess is not None
    assert manifest.postprocess.decoder == "embedding"


def test_pictures_as_alwaysai_describes_them_stay_so(folder: Path) -> None:
    (folder / "model.json").write_text(json.dumps({"size": [6, 4], "swaprb": True}))
    assert served(folder).preprocess is None
