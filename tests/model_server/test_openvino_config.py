"""What config.json and mapping_config.json make of a model: expected numbers, reasons."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from baked_models import save_baked
from camfleet_contracts.model_manifest import ModelManifest
from camfleet_contracts.serving_config import ModelConfig
from camfleet_server.input_errors import WrongBatch
from camfleet_server.reload.loading import load_servable, warm_up
from camfleet_server.runtimes.base import LoadError, ModelSource, Servable
from camfleet_server.runtimes.openvino.api import ov
from camfleet_server.runtimes.table import Runtimes
from camfleet_server.serving.validation import fit_inputs
from camfleet_server.types import Tensors, TensorSpec
from model_volume import opset

RUNTIMES = Runtimes()
NCHW, NHWC = [1, 3, 2, 2], [1, 2, 2, 3]
# A picture of 2 x 2 pixels whose channels differ: B 10, G 20, R 30 and so on.
PICTURE = np.array([[[[10, 20, 30], [11, 21, 31]], [[12, 22, 32], [13, 23, 33]]]], np.float32)


def load(path: Path, **settings: Any) -> Servable:
    config = ModelConfig(name="model", base_path=path, **settings)
    servable = load_servable(ModelSource("model", 1, path, config, ModelManifest()), RUNTIMES)
    warm_up(servable, runs=1)
    return servable


def save(folder: Path, *shapes: list[int], kind: type = np.float32) -> None:
    """Save a model that gives back each input: x -> y, x1 -> y1, ..."""
    inputs, outputs = [], []
    for number, shape in enumerate(shapes):
        end = str(number or "")
        x = opset.parameter(shape, kind, name=f"x{end}")
        x.output(0).set_names({f"x{end}"})
        y = opset.add(x, opset.constant(np.array(0, kind)))
        y.output(0).set_names({f"y{end}"})
        inputs.append(x)
        outputs.append(y)
    ov.save_model(ov.Model(outputs, inputs, "copy"), folder / "model.xml", compress_to_fp16=False)


def answer(servable: Servable, array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    (spec,) = servable.inputs
    return servable.infer({spec.name: array}, (servable.outputs[0].name,))[servable.outputs[0].name]


def per_channel(*values: float) -> np.ndarray[Any, Any]:
    """Return what a model in NCHW sees of the picture when channel c is values[c] + step."""
    steps = np.array([[0, 1], [2, 3]], np.float32)
    return np.stack([value + steps for value in values])[None]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"layout": "NHWC:NCHW"}, per_channel(10, 20, 30)),
        ({"layout": "NHWC:NCHW", "mean": 10}, per_channel(0, 10, 20)),
        ({"layout": "NHWC:NCHW", "mean": "[10,20,30]"}, per_channel(0, 0, 0)),
        ({"layout": "NHWC:NCHW", "mean": "10, 20, 30"}, per_channel(0, 0, 0)),
        ({"layout": "NHWC:NCHW", "mean": [10, 20, 30.0]}, per_channel(0, 0, 0)),
        ({"layout": "NHWC:NCHW", "mean": {"x": [10, 20, 30]}}, per_channel(0, 0, 0)),
        ({"layout": "NHWC:NCHW", "mean": "x:[10,20,30]"}, per_channel(0, 0, 0)),
        ({"layout": "NHWC:NCHW", "mean": '{"x": "10"}'}, per_channel(0, 10, 20)),
        ({"layout": "NHWC:NCHW", "scale": "2.0"}, per_channel(10, 20, 30) / 2),
        ({"layout": "NHWC:NCHW", "mean": 10, "scale": 2}, (per_channel(0, 10, 20)) / 2),
        ({"layout": "NHWC:NCHW", "color_format": "RGB"}, per_channel(10, 20, 30)),
        ({"layout": "NHWC:NCHW", "color_format": "BGR:RGB"}, per_channel(30, 20, 10)),
        (
            {"layout": "NHWC:NCHW", "color_format": "bgr:rgb", "mean": "[30,20,10]"},
            per_channel(0, 0, 0),
        ),
    ],
    ids=lambda value: json.dumps(value) if isinstance(value, dict) else "",
)
def test_values_reach_the_model_as_config_json_says(
    tmp_path: Path, settings: dict[str, Any], expected: np.ndarray[Any, Any]
) -> None:
    save(tmp_path, NCHW)
    np.testing.assert_allclose(answer(load(tmp_path, **settings), PICTURE), expected)


@pytest.mark.parametrize("precision", ["UINT8", "u8", "uint8:fp32"])
def test_requests_may_have_another_type_than_the_model(tmp_path: Path, precision: str) -> None:
    save(tmp_path, NHWC)
    servable = load(tmp_path, precision=precision, mean=11, scale=4)
    assert servable.inputs == (TensorSpec("x", "UINT8", (1, 2, 2, 3)),)
    given = PICTURE.astype(np.uint8)
    np.testing.assert_allclose(answer(servable, given), (PICTURE - 11) / 4)


def test_the_place_of_channels_is_seen_from_the_shape(tmp_path: Path) -> None:
    save(tmp_path, NHWC)
    np.testing.assert_allclose(
        answer(load(tmp_path, mean="[10,20,30]", color_format="BGR:BGR"), PICTURE),
        PICTURE - np.array([10, 20, 30], np.float32),
    )


def test_gray_is_made_of_colours_and_colours_of_gray(tmp_path: Path) -> None:
    save(tmp_path, [1, 1, 2, 2])
    servable = load(tmp_path, color_format="RGB:GRAY", layout="NHWC:NCHW")
    assert servable.inputs[0].shape == (1, 2, 2, 3)
    expected = PICTURE @ np.array([0.299, 0.587, 0.114], np.float32)
    np.testing.assert_allclose(answer(servable, PICTURE)[0, 0], expected[0], atol=0.5)
    save(tmp_path, NCHW)
    servable = load(tmp_path, color_format="GRAY:RGB", layout="NHWC:NCHW")
    assert servable.inputs[0].shape == (1, 2, 2, 1)
    gray = PICTURE[..., :1]
    np.testing.assert_allclose(answer(servable, gray), np.repeat(gray.transpose(0, 3, 1, 2), 3, 1))


@pytest.mark.parametrize(
    ("colours", "planes"),
    [
        ("NV12:RGB", {"x": (1, 3, 2, 1)}),
        ("I420:BGR", {"x": (1, 3, 2, 1)}),
        ("NV12_2:RGB", {"x/y": (1, 2, 2, 1), "x/uv": (1, 1, 1, 2)}),
        ("I420_3:RGB", {"x/y": (1, 2, 2, 1), "x/u": (1, 1, 1, 1), "x/v": (1, 1, 1, 1)}),
    ],
)
def test_pictures_may_come_in_planes(
    tmp_path: Path, colours: str, planes: dict[str, tuple[int, ...]]
) -> None:
    save(tmp_path, NCHW)
    servable = load(tmp_path, color_format=colours, precision="UINT8")
    assert {spec.name: spec.shape for spec in servable.inputs} == planes
    gray: Tensors = {name: np.full(shape, 128, np.uint8) for name, shape in planes.items()}
    expected = np.full(NCHW, (128 - 16) * 1.164, np.float32)
    np.testing.assert_allclose(servable.infer(gray, ("y",))["y"], expected, atol=1)


def test_settings_may_be_given_per_input(tmp_path: Path) -> None:
    save(tmp_path, [1, 4], NCHW)
    servable = load(
        tmp_path,
        shape={"x": "(2:8,4)"},
        layout={"x1": "NHWC:NCHW"},
        mean={"x1": "[10,20,30]", "x": 1},
        precision={"x1": "UINT8"},
    )
    assert servable.inputs == (
        TensorSpec("x", "FP32", (-1, 4)),
        TensorSpec("x1", "UINT8", (1, 2, 2, 3)),
    )
    given: Tensors = {"x": np.ones((3, 4), np.float32), "x1": PICTURE.astype(np.uint8)}
    told = servable.infer(given, ("y", "y1"))
    assert not told["y"].any()
    np.testing.assert_allclose(told["y1"], per_channel(0, 0, 0))


@pytest.mark.parametrize(
    ("settings", "size", "reason"),
    [
        ({"batch_size": "2:8"}, 9, r"batch size - Expected: 2:8; Actual: 9"),
        ({"shape": "(2:8,4)"}, 1, r"batch size - Expected: 2:8; Actual: 1"),
    ],
    ids=["above", "below"],
)
def test_sizes_outside_a_range_are_the_clients_fault(
    tmp_path: Path, settings: dict[str, Any], size: int, reason: str
) -> None:
    save(tmp_path, [1, 4])
    servable = load(tmp_path, **settings)
    with pytest.raises(WrongBatch, match=reason):
        fit_inputs({"x": np.ones((size, 4), np.float32)}, servable.inputs, {})
    assert fit_inputs({"x": np.ones((2, 4), np.float32)}, servable.inputs, {})


def test_outputs_may_be_transposed_too(tmp_path: Path) -> None:
    save(tmp_path, [2, 3])
    servable = load(tmp_path, layout={"y": "CN:NC"})
    assert servable.outputs[0].shape == (3, 2)
    matrix = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.testing.assert_array_equal(answer(servable, matrix), matrix.T)


def test_open_dimensions_take_every_size_without_a_reload(tmp_path: Path) -> None:
    save(tmp_path, NHWC)
    servable = load(tmp_path, shape="auto", mean=0)
    for height in (2, 5):
        assert answer(servable, np.ones((1, height, 7, 3), np.float32)).shape == (1, height, 7, 3)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"mean": "[1,2]", "layout": "NCHW"}, "mean has 2 numbers, the input 'x' 3 channels"),
        ({"mean": {"z": 1}}, "mean: the model has no input 'z'"),
        ({"color_format": "NV12"}, "write NV12:RGB"),
        ({"color_format": "NV12:RGB", "layout": "NHCW:NCHW"}, "sent in layout NHWC"),
        ({"color_format": "BGR:RGB", "layout": "N..."}, "does not say which"),
        ({"precision": "FP32:UINT8"}, "write request:model"),
        ({"layout": "NHWC:NQ"}, r"NHWC:NQ: has 2 letters, the input 'x' has 4 dimensions, \[1,3"),
        ({"layout": {"y": "NC"}}, "layout NC: has 2 letters, the output 'y' has 4 dimensions"),
        ({"layout": "no layout"}, "layout"),
        ({"layout": {"z": "NC"}}, "layout: the model has no input 'z'"),
    ],
    ids=lambda value: json.dumps(value) if isinstance(value, dict) else "",
)
def test_what_does_not_fit_the_model_is_refused_with_the_reason(
    tmp_path: Path, settings: dict[str, Any], reason: str
) -> None:
    save(tmp_path, NCHW)
    with pytest.raises(LoadError, match=reason):
        load(tmp_path, **settings)


def test_a_shape_that_the_graph_cannot_take_is_told_beside_its_own(tmp_path: Path) -> None:
    save_baked(tmp_path / "model.onnx")
    own = r"shape \(1,5,6\): the model is made for \[1,4,6\] and cannot be reshaped .* `shape`"
    with pytest.raises(LoadError, match=own):
        load(tmp_path, shape="(1,5,6)")


def test_channels_that_cannot_be_seen_are_asked_for(tmp_path: Path) -> None:
    save(tmp_path, [1, 6])
    with pytest.raises(LoadError, match='give "layout"'):
        load(tmp_path, mean=[1, 2])


def test_one_value_for_several_inputs_is_refused(tmp_path: Path) -> None:
    save(tmp_path, [1, 4], [1, 4])
    with pytest.raises(LoadError, match="give one mean for each"):
        load(tmp_path, mean=1)


def map_names(folder: Path, mapping: Any) -> None:
    text = mapping if isinstance(mapping, str) else json.dumps(mapping)
    (folder / "mapping_config.json").write_text(text)


def test_mapping_config_json_names_tensors_anew_and_the_old_names_still_lead_there(
    tmp_path: Path,
) -> None:
    save(tmp_path, [1, 4])
    map_names(tmp_path, {"inputs": {"x": "image"}, "outputs": {"y": "scores"}})
    servable = load(tmp_path, shape={"image": "(2,4)"}, mean={"x": 1})
    assert servable.inputs == (TensorSpec("image", "FP32", (2, 4)),)
    assert servable.outputs == (TensorSpec("scores", "FP32", (2, 4)),)
    assert servable.input_aliases == {"x": "image"}
    assert servable.output_aliases["y"] == "scores"
    assert not answer(servable, np.ones((2, 4), np.float32)).any()


def test_two_tensors_may_swap_their_names(tmp_path: Path) -> None:
    save(tmp_path, [1, 1], [1, 2])
    map_names(tmp_path, {"inputs": {"x": "x1", "x1": "x"}})
    servable = load(tmp_path)
    assert [(spec.name, spec.shape) for spec in servable.inputs] == [("x1", (1, 1)), ("x", (1, 2))]
    assert servable.input_aliases == {}


@pytest.mark.parametrize(
    ("mapping", "reason"),
    [
        ("{", "cannot be read as JSON"),
        ([], "write"),
        ({"input": {}}, "write"),
        ({"inputs": {"x": 1}}, "object of texts"),
        ({"inputs": {"x": "\ud800"}}, "object of texts"),
        ({"inputs": {"z": "image"}}, "inputs: the model has no 'z'; it has x, x1"),
        ({"outputs": {"y": "y1"}}, "outputs: two tensors would have one name"),
    ],
    ids=[
        "no JSON",
        "list",
        "unknown key",
        "number",
        "half of a character",
        "unknown tensor",
        "name taken",
    ],
)
def test_mapping_that_does_not_fit_is_refused_with_the_reason(
    tmp_path: Path, mapping: Any, reason: str
) -> None:
    save(tmp_path, [1, 4], [1, 4])
    map_names(tmp_path, mapping)
    with pytest.raises(LoadError, match=reason):
        load(tmp_path)
