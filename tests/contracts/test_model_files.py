"""Which files of a version folder are its model, with and without a manifest."""

from pathlib import Path

import pytest

from camfleet_contracts.frameworks import UnknownFramework, get_framework
from camfleet_contracts.model_files import NoModelFiles, find_model_files
from camfleet_contracts.model_manifest import ModelManifest


def folder_of(tmp_path: Path, *names: str) -> Path:
    for name in names:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"model")
    return tmp_path


@pytest.mark.parametrize(
    ("held", "framework", "model", "config"),
    [
        (["m.xml", "m.bin"], "openvino", "m.xml", "m.bin"),
        (["m.onnx", "coco.names"], "onnx", "m.onnx", None),
        (["saved_model.pb", "variables/variables.index"], "saved-model", ".", None),
        (["saved_model/saved_model.pb"], "saved-model", "saved_model", None),
        (["frozen.pb"], "tensorflow", "frozen.pb", None),
        (["net.pb", "other.pbtxt"], "tensorflow", "net.pb", "other.pbtxt"),
        (["m.tflite"], "tflite", "m.tflite", None),
        (["y.weights", "y.cfg", "y.names"], "darknet", "y.weights", "y.cfg"),
        (["f.caffemodel", "f.prototxt"], "caffe", "f.caffemodel", "f.prototxt"),
        (["f.caffemodel", "deploy.prototext"], "caffe", "f.caffemodel", "deploy.prototext"),
        (["enet.net"], "torch", "enet.net", None),
        (["m.t7"], "torch", "m.t7", None),
        (["m.trt"], "tensorrt", "m.trt", None),
        (["m.engine"], "tensorrt", "m.engine", None),
        (["m.plan"], "tensorrt", "m.plan", None),
        (["m.hef"], "hailo", "m.hef", None),
        (["m.onnx", "m.xml", "m.bin"], "openvino", "m.xml", "m.bin"),
        (["b.onnx", "a.onnx"], "onnx", "a.onnx", None),
        (["m.pdmodel", "m.pdiparams"], "paddle", "m.pdmodel", "m.pdiparams"),
        (["M.ONNX"], "onnx", "M.ONNX", None),
        (["._m.onnx", "m.onnx"], "onnx", "m.onnx", None),
    ],
)
def test_a_folder_without_a_manifest_is_known_by_its_files(
    tmp_path: Path, held: list[str], framework: str, model: str, config: str | None
) -> None:
    folder = folder_of(tmp_path, *held)
    found = find_model_files(folder, ModelManifest())
    assert found.framework.name == framework
    assert found.model == folder / model
    assert found.config == (folder / config if config else None)


@pytest.mark.parametrize(
    ("held", "manifest", "framework", "model"),
    [
        (["a.onnx", "b.onnx"], {"model_file": "b.onnx"}, "onnx", "b.onnx"),
        (["m.onnx", "m.xml"], {"framework_type": "onnx"}, "onnx", "m.onnx"),
        (
            ["m.bin", "m.xml"],
            {"framework_type": "dldt", "model_file": "m.bin", "config_file": "m.xml"},
            "openvino",
            "m.xml",
        ),
        (["e.bin"], {"framework_type": "tensor-rt", "model_file": "e.bin"}, "tensorrt", "e.bin"),
        (["saved_model.pb"], {"framework_type": "tensorflow"}, "saved-model", "."),
        (["s/saved_model.pb"], {"model_file": "s"}, "saved-model", "s"),
        (["m.net"], {"framework_type": "enet", "model_file": "m.net"}, "torch", "m.net"),
        (["y.weights", "z.cfg"], {"config_file": "z.cfg"}, "darknet", "y.weights"),
    ],
)
def test_a_manifest_says_which_files_are_meant(
    tmp_path: Path, held: list[str], manifest: dict[str, str], framework: str, model: str
) -> None:
    folder = folder_of(tmp_path, *held)
    found = find_model_files(folder, ModelManifest(**manifest))
    assert (found.framework.name, found.model) == (framework, folder / model)


@pytest.mark.parametrize(
    ("held", "manifest", "reason"),
    [
        ([], {}, r"no model file in .* \(it holds nothing\); looked for \.xml, \.onnx"),
        (["readme.md"], {}, r"it holds readme\.md"),
        (["w.bin"], {}, "may be the weights of an OpenVINO model or a TensorRT engine; name"),
        (["w.bin"], {"model_file": "w.bin"}, "name framework_type in model.json"),
        (["m.blob"], {}, "Myriad stick only.*publish the model it was compiled from"),
        (["m.h5"], {}, "a Keras file; export it in Keras as SavedModel"),
        (["m.pt"], {"model_file": "m.pt"}, "export it to ONNX"),
        (["y.weights"], {}, r"darknet needs a \.cfg file beside y\.weights"),
        (["f.caffemodel"], {}, r"caffe needs a \.prototxt or \.prototext file"),
        (["y.weights", "a.cfg", "b.cfg"], {}, r"which of a\.cfg, b\.cfg belongs to y\.weights"),
        (["m.onnx"], {"model_file": "n.onnx"}, r"model_file 'n\.onnx' is not in .*holds m\.onnx"),
        (["y.weights"], {"config_file": "y.cfg"}, r"config_file 'y\.cfg' is not in"),
        (
            ["m.onnx"],
            {"model_file": "m.onnx", "framework_type": "caffe"},
            r"framework_type says caffe, whose model is a \.caffemodel file, and m\.onnx is onnx",
        ),
        (["m.onnx"], {"framework_type": "caffe"}, r"holds m\.onnx\); looked for \.caffemodel"),
        (["m.onnx"], {"framework_type": "coffee"}, "'coffee': use one of: openvino, onnx"),
        (["m.blob"], {"framework_type": "myriad"}, "'myriad': this is a Myriad blob"),
        (["m.onnx"], {"model_file": "../m.onnx"}, r"model_file '\.\./m\.onnx' leaves the folder"),
        (["m.onnx"], {"model_file": "/etc/m.onnx"}, "leaves the folder"),
        (["y.weights"], {"config_file": "/etc/y.cfg"}, "config_file '/etc/y.cfg' leaves"),
        (
            ["m.bin"],
            {"framework_type": "dldt", "model_file": "m.bin"},
            r"m\.bin needs its \.xml file",
        ),
        (
            ["m.bin", "n.xml"],
            {"framework_type": "dldt", "model_file": "m.bin", "config_file": "n.xml"},
            "must have the same name",
        ),
    ],
)
def test_what_is_no_model_or_half_of_one_is_refused_with_what_to_do(
    tmp_path: Path, held: list[str], manifest: dict[str, str], reason: str
) -> None:
    folder = folder_of(tmp_path, *held)
    with pytest.raises(NoModelFiles, match=reason):
        find_model_files(folder, ModelManifest(**manifest))


def test_a_runtime_gets_the_files_that_it_reads(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "m.xml", "m.bin", "m.engine", "m.onnx")
    for reads, model in ((["tensorrt"], "m.engine"), (["onnx"], "m.onnx"), (["openvino"], "m.xml")):
        assert find_model_files(folder, ModelManifest(), reads).model.name == model


def test_a_single_file_is_a_version_with_what_lies_beside_it(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "y.weights", "y.cfg", "m.pdmodel", "m.pdiparams")
    darknet = find_model_files(folder / "y.weights", ModelManifest())
    assert [path.name for path in darknet.paths] == ["y.weights", "y.cfg"]
    paddle = find_model_files(folder / "m.pdiparams", ModelManifest())
    assert paddle.model.name == "m.pdmodel"


def test_names_of_frameworks_are_those_of_alwaysai_too() -> None:
    names = {"dldt": "openvino", "tensor-rt": "tensorrt", "enet": "torch", "ONNX": "onnx"}
    assert {name: get_framework(name).name for name in names} == names
    with pytest.raises(UnknownFramework):
        get_framework("")
