"""`camfleet model configure`: alwaysAI's flags become a model.json."""

import json
from pathlib import Path
from typing import Any

import pytest
from onnx import TensorProto, helper, save

from camfleet.cli.packages.flags import joined
from camfleet.inference.preprocessing import preprocess_of
from camfleet_contracts.model_manifest import read_manifest
from cli_runs import CommandLine

SSD = ["--framework", "caffe", "--model_file", "net.caffemodel", "--config_file", "net.prototxt"]
ONNX = ["--framework", "onnx", "--model_file", "net.onnx", "--purpose", "Classification"]


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    folder = tmp_path / "pets"
    folder.mkdir()
    for name in ("net.caffemodel", "net.prototxt", "net.onnx", "labels.txt"):
        (folder / name).write_text("cat\ndog\n")
    return folder


def written(folder: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / "model.json").read_text())
    return document


def test_fields_and_defaults_are_those_of_alwaysai(camfleet: CommandLine, pets: Path) -> None:
    purpose = ["--purpose", "ObjectDetection", "--label_file", "labels.txt"]
    assert camfleet.run("model", "configure", str(pets), *SSD, *purpose).code == 0
    document = written(pets)
    assert (
        document.items()
        >= {
            "framework_type": "caffe",
            "model_file": "net.caffemodel",
            "config_file": "net.prototxt",
            "purpose": "ObjectDetection",
            "label_file": "labels.txt",
            "mean": [0, 0, 0],
            "scalefactor": 1,
            "crop": False,
            "swaprb": False,
            "softmax": False,
            "public": False,
            "inference_time": 0,
            "id": "pets",
        }.items()
    )
    manifest = read_manifest(pets)
    assert manifest is not None
    assert manifest.labels == ("cat", "dog")


@pytest.mark.parametrize("size", [["300", "300"], ["300 300"], ["300,300"]], ids=str)
def test_lists_and_switches_may_be_written_as_alwaysai_writes_them(
    camfleet: CommandLine, pets: Path, size: list[str]
) -> None:
    picture = ["--mean", "104", "-117.5", "123", "--size", *size, "--swaprb", "--crop"]
    outcome = camfleet.run(
        "model", "configure", *ONNX, *picture, "true", "--id", "me/pets", str(pets)
    )
    assert outcome.code == 0, outcome.err
    manifest = read_manifest(pets)
    assert manifest is not None
    preprocess = preprocess_of(manifest)
    assert (manifest.id, preprocess.mean, preprocess.size) == (
        "me/pets",
        (104, -117.5, 123),
        (300, 300),
    )
    assert (preprocess.colour, preprocess.resize) == ("RGB", "crop")


def test_second_time_changes_only_what_is_given(camfleet: CommandLine, pets: Path) -> None:
    camfleet.run("model", "configure", str(pets), *ONNX, "--mean", "1,2,3", "--id", "me/pets")
    document = written(pets) | {"colour_of_the_cat": "grey"}
    (pets / "model.json").write_text(json.dumps(document))
    camfleet.run("model", "configure", str(pets), "--scalefactor", "0.5", "--decoder", "yolox")
    changed = written(pets)
    assert changed["mean"] == [1, 2, 3]
    assert changed["scalefactor"] == 0.5
    assert changed["colour_of_the_cat"] == "grey"
    assert changed["preprocess"]["scale"] == 0.5
    assert changed["postprocess"]["decoder"] == "yolox"


@pytest.mark.parametrize(
    ("framework", "file", "size"),
    [("tensorflow", "net.pb", [300, 300]), ("darknet", "net.weights", [320, 320])],
)
def test_frameworks_have_their_usual_size(
    camfleet: CommandLine, pets: Path, framework: str, file: str, size: list[int]
) -> None:
    for name in (file, "net.cfg"):
        (pets / name).write_text("")
    given = ["--framework", framework, "--model_file", file, "--purpose", "Classification"]
    camfleet.run("model", "configure", str(pets), *given)
    assert written(pets)["size"] == size


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "--framework is missing; use one of: openvino, onnx"),
        (["--framework", "nope"], "'nope': use one of: openvino"),
        (["--framework", "keras"], "export it in Keras as SavedModel"),
        (["--framework", "myriad"], "publish the model it was compiled from"),
        (["--framework", "onnx"], "--model_file is missing"),
        ([*ONNX[:2], *SSD[2:4], *ONNX[4:]], "net.caffemodel is caffe; correct model.json"),
        ([*SSD[:4], *ONNX[4:], "--config_file", "none.prototxt"], "none.prototxt does not exist"),
        ([*ONNX[:3], "none.onnx", *ONNX[4:]], "none.onnx does not exist"),
        (ONNX[:4], "--purpose is missing"),
        ([*ONNX, "--label_file", "none.txt"], "--label_file none.txt"),
        ([*ONNX, "--mean", "a,b"], "must be numbers"),
        ([*ONNX, "--mean", "1", "2"], "give one number, or one per channel"),
        ([*ONNX, "--size", "300"], "give width and height"),
        ([*ONNX, "--decoder", "yolo99"], "--decoder yolo99: use one of"),
        ([*ONNX, "--device", "toaster"], "--device toaster: use one of: nano"),
        ([*ONNX, "--architecture", "yolo"], "none for onnx"),
        ([*ONNX, "--crop=maybe"], "--crop maybe: must be true or false"),
        ([*ONNX, "--id", "a/b/c"], "--id: "),
    ],
)
def test_wrong_values_are_named_and_nothing_is_written(
    camfleet: CommandLine, pets: Path, arguments: list[str], reason: str
) -> None:
    outcome = camfleet.run("model", "configure", str(pets), *arguments)
    assert outcome.code == 1
    assert reason in outcome.err
    assert not (pets / "model.json").exists()


def test_preprocessing_written_by_hand_stays_unless_a_flag_speaks_of_it(
    camfleet: CommandLine, pets: Path
) -> None:
    camfleet.run("model", "configure", str(pets), *ONNX)
    by_hand = {"resize": "letterbox", "layout": "NHWC"}
    (pets / "model.json").write_text(json.dumps(written(pets) | {"preprocess": by_hand}))
    camfleet.run("model", "configure", str(pets), "--license", "MIT")
    assert written(pets)["preprocess"] == by_hand
    camfleet.run("model", "configure", str(pets), "--crop")
    assert written(pets)["preprocess"]["resize"] == "crop"


def test_model_json_that_cannot_be_read_is_left_alone(camfleet: CommandLine, pets: Path) -> None:
    (pets / "model.json").write_text("{")
    outcome = camfleet.run("model", "configure", str(pets), *ONNX)
    assert (outcome.code, (pets / "model.json").read_text()) == (1, "{")
    assert "not readable as JSON" in outcome.err


def test_flags_may_have_dashes_and_equal_signs() -> None:
    assert joined(["--model-file=net.onnx", "--mean", "1", "2", "3", "here"]) == [
        "--model_file",
        "net.onnx",
        "--mean",
        "1,2,3",
        "here",
    ]
    assert joined(["--output-layer-names", "a", "b", "--crop", "here"]) == [
        "--output_layer_names",
        "a,b",
        "--crop",
        "true",
        "here",
    ]


def save_export(path: Path) -> None:
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    model = helper.make_model(helper.make_graph([], "empty", [value], [value]))
    helper.set_model_props(model, {"stride": "32", "names": "{0: 'cat'}", "imgsz": "[64, 64]"})
    save(model, path)


def test_an_ultralytics_export_takes_pictures_as_its_file_says(
    camfleet: CommandLine, pets: Path
) -> None:
    save_export(pets / "net.onnx")
    said = camfleet.run("model", "configure", str(pets), *ONNX).err
    assert "net.onnx is an Ultralytics export" in said
    assert written(pets)["preprocess"]["resize"] == "letterbox"
    assert camfleet.run("model", "configure", str(pets), "--scalefactor", "1").code == 0
    assert written(pets)["preprocess"]["resize"] == "stretch"


def test_an_export_that_model_json_names_is_looked_at_whatever_lies_beside_it(
    camfleet: CommandLine, pets: Path
) -> None:
    save_export(pets / "net.onnx")
    (pets / "a.onnx").write_bytes(b"x")
    camfleet.run("model", "configure", str(pets), *ONNX)
    said = camfleet.run("model", "configure", str(pets), "--license", "MIT").err
    assert "net.onnx is an Ultralytics export" in said
