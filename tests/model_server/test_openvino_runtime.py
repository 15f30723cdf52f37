"""OpenVINO: every format it reads, the file's own names, and what config.json can change."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from camfleet_contracts.model_manifest import ModelManifest
from camfleet_contracts.serving_config import ModelConfig
from camfleet_server.reload.loading import load_servable, warm_up
from camfleet_server.runtimes.base import LoadError, ModelSource, Servable
from camfleet_server.runtimes.openvino.api import ov
from camfleet_server.runtimes.table import Runtimes
from camfleet_server.types import TensorSpec
from model_volume import opset, save_adder

RUNTIMES = Runtimes()


def _load(path: Path, manifest: ModelManifest | None = None, **settings: Any) -> Servable:
    config = ModelConfig(name="model", base_path=path, **settings)
    source = ModelSource("model", 1, path, config, manifest or ModelManifest())
    return load_servable(source, RUNTIMES)


def _save_identity(folder: Path, shape: list[int], kind: type = np.float32) -> None:
    x = opset.parameter(shape, kind, name="x")
    x.output(0).set_names({"x"})
    y = opset.convert(x, "f32" if kind is not np.float32 else "f64")
    y.output(0).set_names({"y"})
    folder.mkdir(exist_ok=True)
    ov.save_model(ov.Model([y], [x], "identity"), folder / "model.xml", compress_to_fp16=False)


@pytest.mark.parametrize(
    ("path", "inputs", "outputs"),
    [
        (
            "fastestdet-coco/FastestDet.onnx",
            [TensorSpec("input.1", "FP32", (1, 3, 352, 352))],
            [TensorSpec("758", "FP32", (1, 85, 22, 22))],
        ),
        (
            "fastestdet-coco/ir/fastestdet.xml",
            [TensorSpec("input.1", "FP32", (1, 3, 352, 352))],
            [TensorSpec("758", "FP32", (1, 85, 22, 22))],
        ),
        (
            "fastestdet-coco/fastestdet_frozen.pb",
            [TensorSpec("input_1:0", "FP32", (1, 352, 352, 3))],
            [TensorSpec("Identity:0", "FP32", (1, 22, 22, 85))],
        ),
        (
            "fastestdet-coco/saved_model",
            [TensorSpec("input.1", "FP32", (1, 352, 352, 3))],
            [TensorSpec("output_0", "FP32", (1, 22, 22, 85))],
        ),
        (
            "mobilenet-v2-imagenet-quant/mobilenet_v2_1.0_224_quant.tflite",
            [TensorSpec("input", "UINT8", (1, 224, 224, 3))],
            [TensorSpec("MobilenetV2/Predictions/Softmax", "UINT8", (1, 1001))],
        ),
        (
            "ovms-test-models/dummy/1",
            [TensorSpec("b", "FP32", (1, 10))],
            [TensorSpec("a", "FP32", (1, 10))],
        ),
        (
            "ovms-test-models/triton_simple/1",
            [TensorSpec("INPUT0", "INT32", (-1, 16)), TensorSpec("INPUT1", "INT32", (-1, 16))],
            [TensorSpec("OUTPUT0", "INT32", (-1, 16)), TensorSpec("OUTPUT1", "INT32", (-1, 16))],
        ),
    ],
    ids=["onnx", "ir", "frozen graph", "saved model", "tflite", "ovms dummy", "triton simple"],
)
def test_real_models_keep_the_names_types_and_shapes_of_their_files(
    shared_data: Path, path: str, inputs: list[TensorSpec], outputs: list[TensorSpec]
) -> None:
    servable = _load(shared_data / "models" / path)
    warm_up(servable, runs=1)
    assert list(servable.inputs) == inputs
    assert list(servable.outputs) == outputs


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("ssd-mobilenet-v1-coco-quant/detect.tflite", "TFLite_Detection_PostProcess"),
        ("ovms-test-models/half_plus_two/00000123", "undeclared parameters"),
        ("res10-ssd-face/opencv_face_detector_uint8.pb", "No conversion rule"),
    ],
    ids=["tflite", "saved model", "frozen graph"],
)
def test_what_openvino_cannot_convert_is_refused_with_its_reason(
    shared_data: Path, path: str, reason: str
) -> None:
    with pytest.raises(LoadError, match=reason):
        _load(shared_data / "models" / path, ModelManifest(runtimes=("openvino",)))


@pytest.mark.parametrize(
    "name",
    ["FastestDet.onnx", "ir", "fastestdet_frozen.pb", "saved_model", "FastestDet_float32.tflite"],
)
def test_emptying_the_files_of_a_loaded_model_changes_no_answer(
    shared_data: Path, tmp_path: Path, name: str
) -> None:
    source = shared_data / "models" / "fastestdet-coco" / name
    copied = shutil.copytree if source.is_dir() else shutil.copyfile
    servable = _load(Path(copied(source, tmp_path / name)))
    image = np.full(servable.inputs[0].shape, 0.5, np.float32)
    wanted = (servable.outputs[0].name,)
    before = servable.infer({servable.inputs[0].name: image}, wanted)
    for file in filter(Path.is_file, tmp_path.rglob("*")):
        os.truncate(file, 0)
    after = servable.infer({servable.inputs[0].name: image}, wanted)
    np.testing.assert_array_equal(after[wanted[0]], before[wanted[0]])


def test_answers_are_those_of_the_file(shared_data: Path) -> None:
    servable = _load(shared_data / "models" / "ovms-test-models" / "dummy" / "1")
    answer = servable.infer({"b": np.arange(10, dtype=np.float32)[None]}, ("a",))["a"]
    np.testing.assert_array_equal(answer, np.arange(1, 11, dtype=np.float32)[None])


def test_texts_go_in_and_out_as_bytes(shared_data: Path) -> None:
    servable = _load(shared_data / "models" / "ovms-test-models" / "passthrough_string" / "1")
    texts = np.array([b"one", "zwölf".encode()], object)
    answer = servable.infer({"my_name": texts}, ("my_name",))["my_name"]
    assert answer.tolist() == texts.tolist()


def test_scalars_stay_scalars(shared_data: Path) -> None:
    servable = _load(shared_data / "models" / "ovms-test-models" / "scalar" / "1")
    scalar = np.array(2, np.float32)
    answer = servable.infer({"model_scalar_input": scalar}, ("model_scalar_output",))
    assert answer["model_scalar_output"].shape == ()


def test_read_only_input_is_taken_without_a_copy_and_answers_outlive_the_next_request(
    tmp_path: Path,
) -> None:
    save_adder(tmp_path, 1)
    servable = _load(tmp_path, nireq=1)
    read_only = np.frombuffer(np.full(4, 2, np.float32).tobytes(), np.float32).reshape(1, 4)
    first = servable.infer({"x": read_only}, ("y",))["y"]
    servable.infer({"x": np.zeros((1, 4), np.float32)}, ("y",))
    assert first.tolist() == [[3, 3, 3, 3]]


def test_other_names_of_a_port_are_known_as_aliases(tmp_path: Path) -> None:
    save_adder(tmp_path, 1)
    servable = _load(tmp_path)
    assert [spec.name for spec in (*servable.inputs, *servable.outputs)] == ["x", "y"]
    assert servable.input_aliases == {"x_alias": "x"}
    assert servable.output_aliases == {"a_first_alias": "y"}


@pytest.mark.parametrize(
    ("settings", "shape"),
    [
        ({"shape": "(1,3,16,16)"}, (1, 3, 16, 16)),
        ({"shape": {"x": "(1,3,-1,8:16)"}}, (1, 3, -1, -1)),
        ({"shape": "auto"}, (-1, -1, -1, -1)),
        ({"batch_size": 4}, (4, 3, 8, 8)),
        ({"batch_size": "auto"}, (-1, 3, 8, 8)),
        ({"batch_size": 4, "shape": "(2,3,8,8)"}, (2, 3, 8, 8)),
        ({"layout": "NHWC:NCHW"}, (1, 8, 8, 3)),
        ({"layout": {"x": "NCHW"}}, (1, 3, 8, 8)),
    ],
    ids=[
        "fixed",
        "open and range",
        "auto",
        "batch",
        "auto batch",
        "shape over batch",
        "transposed",
        "as it is",
    ],
)
def test_config_json_changes_shape_and_layout(
    tmp_path: Path, settings: dict[str, Any], shape: tuple[int, ...]
) -> None:
    _save_identity(tmp_path, [1, 3, 8, 8])
    assert _load(tmp_path, **settings).inputs == (TensorSpec("x", "FP32", shape),)


def test_layout_transposes_what_clients_send(tmp_path: Path) -> None:
    _save_identity(tmp_path, [1, 2, 2, 1])
    servable = _load(tmp_path, layout="NHWC:NCHW")
    assert servable.inputs[0].shape == (1, 2, 1, 2)
    answer = servable.infer({"x": np.array([[[[1, 2]], [[3, 4]]]], np.float32)}, ("y",))["y"]
    assert answer.reshape(-1).tolist() == [1, 3, 2, 4]


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"shape": "(1,3)"}, "4 dimensions"),
        ({"shape": {"z": "(1,3,8,8)"}}, "no input 'z'"),
        ({"plugin_config": {"NO_SUCH_OPTION": 1}}, "NO_SUCH_OPTION"),
    ],
    ids=["rank", "name", "plugin"],
)
def test_settings_that_do_not_fit_are_refused_with_the_reason(
    tmp_path: Path, settings: dict[str, Any], reason: str
) -> None:
    _save_identity(tmp_path, [1, 3, 8, 8])
    with pytest.raises(LoadError, match=reason):
        _load(tmp_path, **settings)


def test_device_that_is_not_there_falls_back_to_the_cpu_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    save_adder(tmp_path, 1)
    servable = _load(tmp_path, target_device="NPU")
    assert servable.device == "CPU"
    assert "falls back to CPU" in caplog.text


def test_nireq_is_the_number_of_slots(tmp_path: Path) -> None:
    save_adder(tmp_path, 1)
    assert _load(tmp_path, nireq=5).slots == 5


def test_infer_requests_take_turns_so_that_a_warm_up_reaches_all(tmp_path: Path) -> None:
    save_adder(tmp_path, 1)
    servable: Any = _load(tmp_path, nireq=3)
    first, *others = servable._idle
    servable.infer({"x": np.zeros((1, 4), np.float32)}, ("y",))
    assert list(servable._idle) == [*others, first]


def test_folder_without_a_model_names_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing to serve")
    with pytest.raises(LoadError, match=r"notes\.txt"):
        _load(tmp_path)


def test_manifest_chooses_among_several_model_files(tmp_path: Path) -> None:
    save_adder(tmp_path, 1, name="a")
    save_adder(tmp_path, 2, name="b")
    servable = _load(tmp_path, ModelManifest(model_file="b.xml"))
    assert servable.infer({"x": np.zeros((1, 4), np.float32)}, ("y",))["y"][0, 0] == 2


def test_runtime_of_the_manifest_that_is_unknown_gives_way_to_the_next(tmp_path: Path) -> None:
    save_adder(tmp_path, 1)
    assert _load(tmp_path, ModelManifest(runtimes=("dnn", "openvino"))).platform == "OpenVINO"


def test_loading_openvino_neither_forks_nor_connects() -> None:
    script = """
import sys
def refuse(event, _):
    if event in {"os.fork", "os.posix_spawn", "subprocess.Popen", "socket.connect"}:
        print(event)
sys.addaudithook(refuse)
from camfleet_server.runtimes.openvino.runtime import OpenVinoRuntime
OpenVinoRuntime()
"""
    assert subprocess.check_output([sys.executable, "-c", script], text=True) == ""
