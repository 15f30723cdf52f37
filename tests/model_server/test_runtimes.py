"""What all runtimes have in common: the file's own tensors, memory of their own, plain reasons."""

import os
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from camfleet_server.reload.loading import example_inputs, warm_up
from camfleet_server.runtimes.base import LoadError, Servable
from camfleet_server.runtimes.table import DISTRIBUTIONS, RUNTIMES
from camfleet_server.types import TensorSpec
from loaded_models import answer, load, save_relu_as_torch, save_scaler

F32 = "FP32"
PLATFORMS = {"onnxruntime": "onnxruntime", "opencv": "OpenCV", "litert": "LiteRT"}


@pytest.mark.parametrize(
    ("runtime", "path", "inputs", "outputs"),
    [
        (
            "onnxruntime",
            "fastestdet-coco/FastestDet.onnx",
            [TensorSpec("input.1", F32, (1, 3, 352, 352))],
            [TensorSpec("758", F32, (1, 85, 22, 22))],
        ),
        (
            "onnxruntime",
            "ovms-test-models/triton_simple/1",
            [TensorSpec("INPUT0", "INT32", (-1, 16)), TensorSpec("INPUT1", "INT32", (-1, 16))],
            [TensorSpec("OUTPUT0", "INT32", (-1, 16)), TensorSpec("OUTPUT1", "INT32", (-1, 16))],
        ),
        (
            "opencv",
            "ultraface-rfb320/version-RFB-320.onnx",
            [TensorSpec("input", F32, (1, 3, 240, 320))],
            [TensorSpec("scores", F32, (1, 4420, 2)), TensorSpec("boxes", F32, (1, 4420, 4))],
        ),
        (
            "opencv",
            "ultraface-rfb320/RFB-320.caffemodel",
            [TensorSpec("input", F32, (1, 3, 240, 320))],
            [TensorSpec("boxes", F32, (1, 4420, 4)), TensorSpec("scores", F32, (1, 4420, 2))],
        ),
        (
            "opencv",
            "yolo-fastest-1.1-coco",
            [TensorSpec("data", F32, (1, 3, 320, 320))],
            [TensorSpec("yolo_121", F32, (300, 85)), TensorSpec("yolo_130", F32, (1200, 85))],
        ),
        (
            "opencv",
            "ovms-test-models/dummy_tflite/1",
            [TensorSpec("input:0", F32, (-1, 10))],
            [TensorSpec("output:0", F32, (-1, 10))],
        ),
        (
            "litert",
            "mobilenet-v2-imagenet-quant/mobilenet_v2_1.0_224_quant.tflite",
            [TensorSpec("input", "UINT8", (1, 224, 224, 3))],
            [TensorSpec("MobilenetV2/Predictions/Softmax", "UINT8", (1, 1001))],
        ),
        (
            "litert",
            "ssd-mobilenet-v1-coco-quant/detect.tflite",
            [TensorSpec("normalized_input_image_tensor", "UINT8", (1, 300, 300, 3))],
            [
                TensorSpec("TFLite_Detection_PostProcess", F32, (1, 10, 4)),
                TensorSpec("TFLite_Detection_PostProcess:1", F32, (1, 10)),
                TensorSpec("TFLite_Detection_PostProcess:2", F32, (1, 10)),
                TensorSpec("TFLite_Detection_PostProcess:3", F32, (1,)),
            ],
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_tensors_have_the_names_types_and_shapes_of_the_file(
    shared_data: Path, runtime: str, path: str, inputs: list[Any], outputs: list[Any]
) -> None:
    servable = load(shared_data / "models" / path, runtime)
    warm_up(servable, runs=1)
    assert servable.platform == PLATFORMS[runtime]
    assert list(servable.inputs) == inputs
    assert list(servable.outputs) == outputs


@pytest.mark.parametrize(
    ("path", "platform"),
    [
        ("ssd-mobilenet-v1-coco-quant/detect.tflite", "LiteRT"),
        ("res10-ssd-face", "OpenCV"),
        ("yolo-fastest-1.1-body", "OpenCV"),
        ("fastestdet-coco/FastestDet.onnx", "OpenVINO"),
    ],
)
def test_without_a_manifest_the_first_runtime_that_can_is_taken_and_said(
    shared_data: Path, caplog: pytest.LogCaptureFixture, path: str, platform: str
) -> None:
    assert load(shared_data / "models" / path).platform == platform
    fell_back = platform in {"LiteRT", "OpenCV"} and "yolo" not in path
    assert ("falls back to another runtime" in caplog.text) == fell_back


@pytest.mark.parametrize(
    ("runtime", "folder", "size"),
    [
        ("onnxruntime", "yunet-n/yunet_n_320_320.onnx", None),
        ("opencv", "yolo-fastest-1.1-body", None),
        ("opencv", "ultraface-rfb320/RFB-320.caffemodel", None),
        ("opencv", "res10-ssd-face", (300, 300)),
        ("litert", "movenet-lightning/movenet_single_pose_lightning_ptq.tflite", None),
    ],
    ids=str,
)
def test_emptying_the_files_of_a_loaded_model_changes_no_answer(
    shared_data: Path, tmp_path: Path, runtime: str, folder: str, size: tuple[int, int] | None
) -> None:
    source = shared_data / "models" / folder
    held = tmp_path / "1"
    shutil.copytree(source if source.is_dir() else source.parent, held)
    path = held if source.is_dir() else held / source.name
    servable = load(path, runtime, manifest={"size": size})
    inputs = _half(servable)
    before = answer(servable, *inputs)
    for file in filter(Path.is_file, held.rglob("*")):
        file.chmod(0o644)
        os.truncate(file, 0)
    for old, new in zip(before, answer(servable, *inputs), strict=True):
        np.testing.assert_array_equal(old, new)


def _half(servable: Servable) -> list[Any]:
    zeros = example_inputs(servable.inputs)
    assert zeros is not None
    return [np.full_like(array, 1) for array in zeros.values()]


@pytest.mark.parametrize("runtime", ["onnxruntime", "opencv"])
def test_answers_are_those_of_the_file(tmp_path: Path, runtime: str) -> None:
    servable = load(save_scaler(tmp_path / "m.onnx", 3), runtime)
    picture = np.random.default_rng(1).random((1, 3, 4, 6), np.float32)
    np.testing.assert_allclose(answer(servable, picture)[0], 3 * picture, rtol=1e-6)


def test_a_torch_file_is_served_with_the_size_of_its_manifest(tmp_path: Path) -> None:
    path = save_relu_as_torch(tmp_path / "relu.t7")
    servable = load(path, manifest={"size": (6, 4)})
    assert servable.inputs == (TensorSpec("data", "FP32", (1, 3, 4, 6)),)
    given = np.random.default_rng(2).standard_normal((1, 3, 4, 6)).astype(np.float32)
    np.testing.assert_array_equal(answer(servable, given)[0], np.maximum(given, 0))


@pytest.mark.parametrize("runtime", ["onnxruntime", "opencv", "litert"])
def test_other_names_of_tensors_come_from_mapping_config(
    tmp_path: Path, shared_data: Path, runtime: str
) -> None:
    if runtime == "litert":
        source = shared_data / "models" / "ovms-test-models" / "dummy_tflite" / "1"
        shutil.copy(next(source.glob("*.tflite")), tmp_path)
        names = '{"inputs": {"input:0": "frame"}}'
    else:
        save_scaler(tmp_path / "m.onnx")
        names = '{"inputs": {"picture": "frame"}}'
    (tmp_path / "mapping_config.json").write_text(names)
    assert load(tmp_path, runtime).inputs[0].name == "frame"


@pytest.mark.parametrize("runtime", ["onnxruntime", "opencv"])
@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"layout": "NHWC:NCHW"}, "layout"),
        ({"shape": "(1,3,8,8)"}, "shape"),
        ({"mean": 1.0, "scale": 2.0}, "mean, scale"),
        ({"batch_size": 4}, "batch_size"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_settings_that_only_openvino_applies_are_refused_by_name(
    tmp_path: Path, runtime: str, settings: dict[str, Any], named: str
) -> None:
    path = save_scaler(tmp_path / "m.onnx")
    with pytest.raises(LoadError, match=f"{runtime} cannot apply {named} of config.json"):
        load(path, runtime, **settings)
    assert load(path, runtime, "openvino", **settings).platform == "OpenVINO"


@pytest.mark.parametrize(
    ("wish", "reason"),
    [
        ("onnxruntime:CUDA", "has no CUDAExecutionProvider; the package onnxruntime-gpu has"),
        ("onnxruntime:TENSORRT", "has no TensorrtExecutionProvider"),
        ("onnxruntime:NPU", "onnxruntime runs on CPU, CUDA, TENSORRT"),
        ("opencv:CUDA", "OpenCV's wheel has no CUDA"),
        ("opencv:GPU", "OpenCL is not installed here"),
        ("opencv:NPU", "OpenCV runs on CPU, OPENCL, CUDA"),
        ("openvino:GPU", "device=GPU"),
    ],
)
def test_a_device_that_is_not_there_falls_back_to_the_cpu_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, wish: str, reason: str
) -> None:
    servable = load(save_scaler(tmp_path / "m.onnx"), wish)
    assert servable.device == "CPU"
    assert "falls back to CPU" in caplog.text
    assert re.search(reason, caplog.text)


@pytest.mark.parametrize("runtime", ["onnxruntime", "opencv"])
def test_requests_are_put_together_where_the_model_lets_them(tmp_path: Path, runtime: str) -> None:
    batching = {"batching": {"max_batch_size": 4}}
    shape = ("n", 3, 4, 6) if runtime == "onnxruntime" else (1, 3, 4, 6)
    servable = load(save_scaler(tmp_path / "m.onnx", 2, shape), runtime, manifest=batching)
    assert servable.inputs[0].shape == servable.outputs[0].shape == (-1, 3, 4, 6)
    rows = np.random.default_rng(3).random((3, 3, 4, 6), np.float32)
    np.testing.assert_array_equal(answer(servable, rows)[0], 2 * rows)


@pytest.mark.parametrize(
    ("runtime", "path", "reason"),
    [
        ("onnxruntime", "yunet-n/yunet_n_320_320.onnx", "cannot open the batch of tensor 'input'"),
        ("opencv", "yunet-n/yunet_n_320_320.onnx", "for one row and .* for two"),
        ("opencv", "yolo-fastest-1.1-body", "'yolo_121' on opencv has shape"),
        ("litert", "ultraface-rfb320/version-RFB-320_without_postprocessing.tflite", None),
        ("litert", "ssd-mobilenet-v1-coco-quant/detect.tflite", "cannot open the batch"),
    ],
)
def test_batching_that_a_model_computes_with_is_refused(
    shared_data: Path, runtime: str, path: str, reason: str | None
) -> None:
    manifest = {"batching": {"max_batch_size": 4}}
    if reason is None:
        servable = load(shared_data / "models" / path, runtime, manifest=manifest)
        rows = np.random.default_rng(4).random((2, 240, 320, 3), np.float32)
        together, alone = answer(servable, rows)[0], answer(servable, rows[:1])[0]
        np.testing.assert_allclose(together[:1], alone, atol=1e-4)
        return
    with pytest.raises(LoadError, match=reason):
        load(shared_data / "models" / path, runtime, manifest=manifest)


@pytest.mark.parametrize(
    ("runtime", "name"),
    [
        ("onnxruntime", "yunet-n/yunet_n_320_320.onnx"),
        ("opencv", "yunet-n/yunet_n_320_320.onnx"),
        ("opencv", "ultraface-rfb320/RFB-320.caffemodel"),
        ("opencv", "res10-ssd-face/opencv_face_detector_uint8.pb"),
    ],
)
@pytest.mark.parametrize("kept", [0, 100, 0.5])
def test_files_that_are_cut_off_are_refused_by_name(
    shared_data: Path, tmp_path: Path, runtime: str, name: str, kept: float
) -> None:
    source = shared_data / "models" / name
    folder = tmp_path / "1"
    shutil.copytree(source.parent, folder)
    path = folder / source.name
    path.chmod(0o644)
    content = path.read_bytes()
    path.write_bytes(content[: int(kept if kept > 1 else kept * len(content))])
    with pytest.raises(LoadError, match=source.name):
        load(path, runtime, manifest={"size": (300, 300)})


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "y.cfg is empty"),
        ("[net]\nwidth=wide\n", "invalid literal"),
        ("[convolutional]\nsize=3\n", r"y\.cfg does not begin with \[net\]"),
        ("width=3", "no section headers"),
        ("\xff\xfe", "y.weights on opencv"),
    ],
)
def test_a_cfg_that_is_none_is_refused_by_name(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "y.cfg").write_bytes(text.encode("latin-1"))
    (tmp_path / "y.weights").write_bytes(b"\0" * 100)
    with pytest.raises(LoadError, match=reason):
        load(tmp_path)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_every_runtime_has_its_packages_and_its_row_in_the_documents(
    runtime: str, repository: Path
) -> None:
    assert DISTRIBUTIONS[runtime]
    assert f"\n| {runtime} |" in (repository / "docs" / "runtimes.md").read_text()
