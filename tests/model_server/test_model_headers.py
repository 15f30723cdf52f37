"""What is read from the headers of model files by our own readers, also when they are damaged."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from camfleet_contracts.protobuf_wire import BadMessage
from camfleet_server.runtimes.headers.onnx_graph import external_files, read_graph
from camfleet_server.runtimes.headers.tensorflow_graph import read_placeholders
from camfleet_server.runtimes.headers.text_message import BadText, read_text
from camfleet_server.runtimes.headers.tflite_graph import BadTflite, read_tflite
from camfleet_server.types import TensorSpec
from loaded_models import load, save_scaler

BINARY: dict[str, tuple[str, Callable[[bytes], object]]] = {
    "onnx": ("yunet-n/yunet_n_dynamic.onnx", read_graph),
    "weights": ("yunet-n/yunet_n_dynamic.onnx", external_files),
    "tflite": ("mobilenet-v1-025-128-quant/mobilenet_v1_0.25_128_quant.tflite", read_tflite),
    "tensorflow": ("fastestdet-coco/fastestdet_frozen.pb", read_placeholders),
}


def test_the_header_of_an_onnx_file_says_what_its_runtime_says(shared_data: Path) -> None:
    for path in sorted((shared_data / "models").rglob("*.onnx")):
        servable = load(path, "onnxruntime")
        assert read_graph(path.read_bytes()) == (servable.inputs, servable.outputs), path.name


def test_the_header_of_a_tflite_file_says_what_its_runtime_says(shared_data: Path) -> None:
    for path in sorted((shared_data / "models").rglob("*.tflite")):
        # LiteRT refuses the one, the other's shapes are known to its own operator only.
        if path.name not in {"person_detect.tflite", "detect.tflite"}:
            servable = load(path, "litert")
            assert read_tflite(path.read_bytes()) == (servable.inputs, servable.outputs), path.name


def test_placeholders_of_a_frozen_graph_are_its_inputs(shared_data: Path) -> None:
    path = shared_data / "models" / "fastestdet-coco" / "fastestdet_frozen.pb"
    assert read_placeholders(path.read_bytes()) == (
        TensorSpec("input_1", "FP32", (1, 352, 352, 3)),
    )


@pytest.mark.parametrize("name", BINARY)
def test_damaged_files_end_in_a_reason_and_in_nothing_else(shared_data: Path, name: str) -> None:
    path, read = BINARY[name]
    content = (shared_data / "models" / path).read_bytes()
    chance = random.Random(6)
    for _ in range(150):
        damaged = bytearray(content[: chance.choice([len(content), chance.randrange(5000)])])
        for _ in range(20):
            if damaged:
                damaged[chance.randrange(min(len(damaged), 4000))] = chance.randrange(256)
        try:
            read(bytes(damaged))
        except (BadMessage, BadTflite):
            continue


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "holds no fields"),
        ("layer {", "ends within"),
        ("layer }", "is not a field"),
        ("a {" * 60, "deeper than 50"),
        ('name: "x" input_dim', "is not a field"),
        ("}", "is not a field"),
    ],
)
def test_texts_that_are_no_message_are_refused(text: str, reason: str) -> None:
    with pytest.raises(BadText, match=reason):
        read_text(text)


def test_a_text_message_keeps_order_nesting_and_quotes() -> None:
    net = read_text('name: "my net" # a comment { \nlayer { dim: 1 dim: 3 }\nlayer < dim: 5; >')
    assert net.text("name") == "my net"
    assert [layer.numbers("dim") for layer in net.messages("layer")] == [(1, 3), (5,)]


def test_weights_listed_as_inputs_are_no_inputs(tmp_path: Path) -> None:
    inputs, outputs = read_graph(save_scaler(tmp_path / "m.onnx").read_bytes())
    assert [spec.name for spec in inputs] == ["picture"]
    assert [spec.name for spec in outputs] == ["scaled"]
