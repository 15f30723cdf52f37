"""What only ONNX Runtime has: weights in files of their own, texts, providers."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from camfleet_contracts.model_manifest import ModelManifest
from camfleet_contracts.serving_config import ModelConfig
from camfleet_server.errors import InvalidInput
from camfleet_server.runtimes import onnxruntime
from camfleet_server.runtimes.base import LoadError, ModelSource
from loaded_models import answer, load, save_graph, save_scaler


def test_it_begins_no_usage_reporting(tmp_path: Path) -> None:
    program = f"import {onnxruntime.__name__}"
    environment = {"HOME": str(tmp_path)}  # where it notes who reports; under CI it never does
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)
    assert list(tmp_path.iterdir()) == []


def _with_external_weights(folder: Path, location: str = "weights.data") -> Path:
    weight = np.arange(4096, dtype=np.float32)
    tensor = onnx.numpy_helper.from_array(weight, "addend")
    node = helper.make_node("Add", ["x", "addend"], ["y"])
    ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, 4096]) for n in ("x", "y")]
    path = save_graph(
        folder / "m.onnx", helper.make_graph([node], "g", ends[:1], ends[1:], [tensor])
    )
    model = onnx.load(path)
    onnx.external_data_helper.convert_model_to_external_data(
        model, location="weights.data", size_threshold=0
    )
    onnx.save(model, path)
    if location != "weights.data":
        for entry in model.graph.initializer[0].external_data:
            if entry.key == "location":
                entry.value = location
        path.write_bytes(model.SerializeToString())
    return path


def test_weights_in_a_file_of_their_own_are_read_and_not_mapped(tmp_path: Path) -> None:
    servable = load(_with_external_weights(tmp_path), "onnxruntime")
    os.truncate(tmp_path / "weights.data", 0)
    zeros = np.zeros((1, 4096), np.float32)
    np.testing.assert_array_equal(answer(servable, zeros)[0][0], np.arange(4096))


def test_weights_that_are_missing_or_elsewhere_are_refused(tmp_path: Path) -> None:
    path = _with_external_weights(tmp_path / "1")
    (path.parent / "weights.data").unlink()
    with pytest.raises(LoadError, match=r"weights\.data cannot be read: No such file"):
        load(path, "onnxruntime")
    elsewhere = _with_external_weights(tmp_path / "2", location="../1/weights.data")
    with pytest.raises(
        LoadError, match=r"'\.\./1/weights\.data' lie outside the folder of m\.onnx"
    ):
        load(elsewhere, "onnxruntime")


def test_texts_go_in_and_out_as_bytes(tmp_path: Path) -> None:
    node = helper.make_node("Identity", ["x"], ["y"])
    ends = [helper.make_tensor_value_info(n, TensorProto.STRING, ["n"]) for n in ("x", "y")]
    path = save_graph(tmp_path / "m.onnx", helper.make_graph([node], "g", ends[:1], ends[1:]))
    servable = load(path, "onnxruntime")
    assert [spec.datatype for spec in servable.inputs] == ["BYTES"]
    texts = np.array([b"one", "zwölf".encode()], object)
    assert answer(servable, texts)[0].tolist() == texts.tolist()


def test_bytes_that_are_no_text_are_the_fault_of_who_sent_them(tmp_path: Path) -> None:
    node = helper.make_node("Identity", ["x"], ["y"])
    ends = [helper.make_tensor_value_info(n, TensorProto.STRING, ["n"]) for n in ("x", "y")]
    path = save_graph(tmp_path / "m.onnx", helper.make_graph([node], "g", ends[:1], ends[1:]))
    with pytest.raises(InvalidInput, match=r"input 'x' - Expected: UTF-8; .*byte 0xff"):
        answer(load(path, "onnxruntime"), np.array([b"\xff"], object))


def test_types_that_no_protocol_carries_are_refused(tmp_path: Path) -> None:
    node = helper.make_node("SequenceConstruct", ["x"], ["y"])
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    y = helper.make_tensor_sequence_value_info("y", TensorProto.FLOAT, [1])
    path = save_graph(tmp_path / "m.onnx", helper.make_graph([node], "g", [x], [y]))
    with pytest.raises(LoadError, match=r"'y' has type seq\(tensor\(float\)\)"):
        load(path, "onnxruntime")


@pytest.mark.parametrize(
    ("wish", "precision", "providers"),
    [
        ("CUDA", "f32", [("CUDAExecutionProvider", {"use_tf32": "0"})]),
        ("CUDA", "default", [("CUDAExecutionProvider", {"use_tf32": "1"})]),
        (
            "TENSORRT_FP16",
            "f32",
            [
                ("TensorrtExecutionProvider", {"trt_fp16_enable": "1"}),
                ("CUDAExecutionProvider", {"use_tf32": "0"}),
            ],
        ),
        ("CPU", "f32", []),
    ],
)
def test_each_device_has_its_providers_and_the_cpu_behind_them(
    tmp_path: Path, wish: str, precision: str, providers: list[object]
) -> None:
    config = ModelConfig(name="m", base_path=tmp_path)
    manifest = ModelManifest(precision=precision)
    source = ModelSource("m", 1, tmp_path, config, manifest, wished_device=wish)
    device = {"TENSORRT_FP16": "TENSORRT"}.get(wish, wish)
    assert onnxruntime._providers(source, device) == [*providers, "CPUExecutionProvider"]


def test_a_provider_that_does_not_start_costs_the_device_and_not_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    listed = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: listed)
    monkeypatch.setattr(onnxruntime, "_providers", lambda source, device: ["CPUExecutionProvider"])
    servable = load(save_scaler(tmp_path / "m.onnx"), "onnxruntime")
    assert servable.device == "CPU"
    assert "device=CUDA reason=the CUDA provider could not start" in caplog.text
