"""Fitting the last layer of the demo's detector to pictures of the demo's scene."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from av.video.frame import VideoFrame

from camfleet_capture.demo import StreetScene
from camfleet_contracts.model_manifest import read_manifest
from camfleet_workbench import CellError, LabelledPictures, fine_tune
from camfleet_workbench.labelled.coco import objects_of
from camfleet_workbench.labelled.scoring import score
from camfleet_workbench.tools.asking import askable
from camfleet_workbench.training.fitting import Task, fit
from camfleet_workbench.training.last_layer import Layer
from cli_runs import CommandLine

LABELS = ("person", "car", "bicycle")


@pytest.fixture
def volume(
    tmp_path: Path,
    repository: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Path:
    """A volume with the demo's detector."""
    models = CommandLine(tmp_path / "fleet", monkeypatch, capsys).models
    shutil.copytree(repository / "models" / "demo-street", models / "demo-street")
    return models


def street(times_s: list[float]) -> LabelledPictures:
    """Pictures of the scene with what it knows of them."""
    scene = StreetScene(7)
    pictures, objects = [], []
    for time_s in times_s:
        image = scene.frame(time_s)
        height, width = image.shape[:2]
        shown = scene.objects(time_s)
        sides = np.array([width, height, width, height])
        corners = [(np.array(item.box) * sides).tolist() for item in shown]
        pictures.append(VideoFrame.from_ndarray(image, format="rgb24"))
        objects.append(objects_of(corners, [item.label for item in shown], LABELS))
    return LabelledPictures(LABELS, tuple(pictures), tuple(objects))


def precision_of(folder: Path, pictures: LabelledPictures) -> float:
    manifest = read_manifest(folder)
    assert manifest is not None
    model = askable(folder / manifest.model_file, manifest)
    found = [model.detect(picture, 0.02) for picture in pictures.pictures]
    return score(folder.name, found, pictures).map50


@pytest.mark.notebooks
def test_a_layer_that_forgot_all_learns_the_scene_from_a_few_pictures(
    volume: Path, tmp_path: Path
) -> None:
    learning, unseen = street([6.0 * n for n in range(10)]), street([63.0, 69, 75])
    nothing = fine_tune("demo-street", learning, tmp_path / "forgot", steps=0, reset=True)
    tuned = fine_tune("demo-street", learning, tmp_path / "tuned", steps=120, reset=True)
    assert tuned.losses[-1] < 0.5 * tuned.losses[0]
    assert precision_of(nothing.folder, unseen) < 0.1
    assert precision_of(tuned.folder, unseen) > 0.5
    manifest = read_manifest(tuned.folder)
    assert manifest is not None
    assert manifest.trail is not None
    assert manifest.trail.parent == "demo-street:1"


def test_logistic_regression_finds_the_plane_between_two_crowds() -> None:
    chance = np.random.default_rng(3)
    features = chance.normal(size=(400, 2)).astype(np.float32)
    wanted = (features @ np.array([[2.0], [-1.0]]) > 0).astype(np.float32)
    task = Task(features, wanted, np.full((400, 1), 1 / 400, np.float32))
    layer, losses = fit(
        task, Layer(np.zeros((1, 2), np.float32), np.zeros(1, np.float32)), 200, 0.1
    )
    assert losses[0] == pytest.approx(np.log(2), abs=1e-6)
    assert losses[-1] < 0.15
    assert layer.weight[0, 0] / layer.weight[0, 1] == pytest.approx(-2, abs=0.4)


def test_what_cannot_be_trained_is_said(volume: Path, tmp_path: Path) -> None:
    pictures = street([1.0])
    strange = LabelledPictures(
        ("tram",), pictures.pictures, (objects_of([(0, 0, 9, 9)], ["tram"], ["tram"]),)
    )
    with pytest.raises(CellError, match="does not know tram"):
        fine_tune("demo-street", strange, tmp_path / "x")
    (tmp_path / "there").mkdir()
    with pytest.raises(CellError, match="is there already"):
        fine_tune("demo-street", pictures, tmp_path / "there", steps=1)
