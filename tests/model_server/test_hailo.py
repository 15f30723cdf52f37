"""Hailo up to its border: a fake that refuses what HailoRT refuses stands for the device."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from camfleet_server.reload.loading import load_servable, warm_up
from camfleet_server.runtimes.base import LoadError, Servable
from camfleet_server.runtimes.table import Runtimes
from camfleet_server.types import TensorSpec
from fake_hailo import install
from loaded_models import answer, source_of

HEF = {
    "inputs": [{"name": "yolo/input", "shape": [8, 8, 3]}],
    "outputs": [{"name": "yolo/conv", "shape": [2, 2, 5], "type": "UINT16"}],
}
NMS = {
    "inputs": HEF["inputs"],
    "outputs": [{"name": "yolo/nms", "shape": [45], "order": "HAILO_NMS_BY_CLASS", "nms": [3, 4]}],
}


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)


def load_hef(folder: Path, told: dict[str, Any], **manifest: Any) -> Servable:
    (folder / "m.hef").write_text(json.dumps(told))
    return load_servable(source_of(folder, manifest), Runtimes())


@pytest.mark.usefixtures("device")
@pytest.mark.parametrize(
    ("manifest", "given", "answered"),
    [
        ({}, "UINT8", "UINT16"),
        ({"quantize_input": False}, "FP32", "UINT16"),
        ({"quantize_output": False}, "UINT8", "FP32"),
        ({"input_format": "uint16", "output_format": "FLOAT32"}, "UINT16", "FP32"),
        ({"input_format": "HAILO_FORMAT_TYPE_FLOAT32"}, "FP32", "UINT16"),
    ],
)
def test_inputs_and_outputs_have_the_formats_of_the_manifest(
    tmp_path: Path, manifest: dict[str, Any], given: str, answered: str
) -> None:
    servable = load_hef(tmp_path, HEF, **manifest)
    warm_up(servable, runs=2)
    assert servable.inputs == (TensorSpec("yolo/input", given, (1, 8, 8, 3)),)
    assert servable.outputs == (TensorSpec("yolo/conv", answered, (1, 2, 2, 5)),)
    assert (servable.platform, servable.device) == ("HailoRT", "HAILO")


@pytest.mark.usefixtures("device")
def test_boxes_by_class_are_one_tensor_with_zeros_where_none_is(tmp_path: Path) -> None:
    servable = load_hef(tmp_path, NMS)
    assert servable.outputs == (TensorSpec("yolo/nms", "FP32", (1, 3, 4, 5)),)
    boxes = answer(servable, np.zeros((1, 8, 8, 3), np.uint8))[0]
    expected = np.zeros((1, 3, 4, 5), np.float32)
    expected[0, 1, 0] = [0.1, 0.2, 0.3, 0.4, 0.9]
    np.testing.assert_array_equal(boxes, expected)


@pytest.mark.usefixtures("device")
@pytest.mark.parametrize(
    ("content", "manifest", "reason"),
    [
        (b"no hef", {}, r"m\.hef on hailo: HAILO_INVALID_HEF"),
        (json.dumps(HEF).encode(), {"input_format": "INT4"}, "has type INT4; set input_format"),
        (json.dumps(HEF).encode(), {"batching": {"max_batch_size": 2}}, "frame by frame"),
        (
            json.dumps(NMS).replace("BY_CLASS", "WITH_BYTE_MASK").encode(),
            {},
            "ordered HAILO_NMS_WITH_BYTE_MASK; compile it by class",
        ),
    ],
)
def test_what_cannot_be_served_is_refused(
    tmp_path: Path, content: bytes, manifest: dict[str, Any], reason: str
) -> None:
    (tmp_path / "m.hef").write_bytes(content)
    with pytest.raises(LoadError, match=reason):
        load_servable(source_of(tmp_path, manifest), Runtimes())


def test_without_a_device_the_reason_is_hailort_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, devices=0)
    with pytest.raises(LoadError, match="no Hailo device answers: HAILO_OUT_OF_PHYSICAL_DEVICES"):
        load_hef(tmp_path, HEF)


@pytest.mark.usefixtures("device")
def test_a_closed_model_is_closed_on_the_device(tmp_path: Path) -> None:
    servable = load_hef(tmp_path, HEF)
    context = servable._copies[0]._context  # type: ignore[attr-defined] # seen from inside
    assert context.is_open
    servable.close()
    assert not context.is_open
