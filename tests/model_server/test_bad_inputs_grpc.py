"""What messages over gRPC can have wrong, and a server that goes on."""

from collections.abc import Iterator
from typing import Any

import pytest

from adders import EVERYWHERE, INFER, PREDICT, Ask, Ports, serving_adders
from camfleet_contracts.protocols import inference_pb2, serving_pb2, tensorflow_pb2

BAD_SIZE = (
    "Invalid content size of tensor proto - Expected: 16 bytes; Actual: 10 bytes; input name: x"
)
BOTH_CONTENTS = (
    "Passing buffers both in ModelInferRequest::InferInputTensor::contents and in "
    "ModelInferRequest::raw_input_contents is not allowed"
)


@pytest.fixture(scope="module")
def ports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ports]:
    with serving_adders(tmp_path_factory.mktemp("bad-inputs")) as ports:
        yield ports


def tensor_proto(*shape: int, dtype: int = tensorflow_pb2.DT_FLOAT, **values: Any) -> Any:
    proto = tensorflow_pb2.TensorProto(dtype=dtype, **values)  # type: ignore[arg-type] # any number
    for size in shape:
        proto.tensor_shape.dim.add(size=size)
    return proto


def predict_bytes(proto: Any = None, **spec: Any) -> bytes:
    request = serving_pb2.PredictRequest(model_spec={"name": "adder"} | spec)
    request.inputs["x"].CopyFrom(proto or tensor_proto(1, 4, float_val=[0] * 4))
    return request.SerializeToString()


@pytest.mark.parametrize(
    ("request_bytes", "text"),
    [
        (serving_pb2.PredictRequest().SerializeToString(), "model_spec missing in request"),
        (predict_bytes(version_label="s"), "Unrecognized servable version label: s"),
        (
            predict_bytes(tensor_proto(1, 4, tensor_content=b"1234567890")),
            BAD_SIZE,
        ),
        (
            predict_bytes(tensor_proto(1, 4, float_val=[1, 2, 3])),
            "Invalid number of values in tensor proto container - Expected: 4",
        ),
        (
            predict_bytes(tensor_proto(1, 4, dtype=tensorflow_pb2.DT_INT64, float_val=[0] * 4)),
            "Actual: 0; input name: x; INT64 goes into int64_val, not into float_val",
        ),
        (predict_bytes(tensor_proto(1, 4, dtype=999)), "input name: x"),
        (predict_bytes(tensor_proto(1, 4, dtype=tensorflow_pb2.DT_COMPLEX64)), "input name: x"),
        (predict_bytes(tensor_proto(1, -4, float_val=[0] * 4)), "input name: x"),
        (predict_bytes(tensor_proto(1 << 40, 1 << 40, tensor_content=b"")), "input name: x"),
        (predict_bytes(tensor_proto(*[1] * 70, float_val=[0])), "input name: x"),
        (predict_bytes(tensor_proto(0, 1 << 62, tensor_content=b"")), "input name: x"),
        (
            predict_bytes(tensor_proto(1, dtype=tensorflow_pb2.DT_STRING, string_val=[b"a"])),
            "input name: x",
        ),
        (b"\xff\xff\xff this is not a message", ""),
        (predict_bytes()[:-3], ""),
    ],
    ids=range(14),
)
def test_predict_over_grpc(ports: Ports, request_bytes: bytes, text: str) -> None:
    answer = ports.call(PREDICT, request_bytes)
    assert answer.code == "INVALID_ARGUMENT"
    assert text in answer.text


def infer_bytes(
    *shape: int,
    raw: bytes | None = None,
    version: str = "",
    datatype: str = "FP32",
    **contents: Any,
) -> bytes:
    request = inference_pb2.ModelInferRequest(model_name="adder", model_version=version)
    item = request.inputs.add(name="x", datatype=datatype, shape=shape)
    if contents:
        item.contents.CopyFrom(inference_pb2.InferTensorContents(**contents))
    request.raw_input_contents.extend([] if raw is None else [raw])
    return request.SerializeToString()


@pytest.mark.parametrize(
    ("request_bytes", "text"),
    [
        (infer_bytes(1, 4, version="x"), "invalid model version format in request"),
        (infer_bytes(1, 4, version="-1"), "invalid model version format in request"),
        (infer_bytes(1, 4, version="9" * 5000), "invalid model version format in request"),
        (
            infer_bytes(1, 4, raw=b"1234567890"),
            BAD_SIZE,
        ),
        (
            infer_bytes(1, 4, fp32_contents=[1, 2, 3]),
            "tensor proto container - Expected: 4 values; Actual: 3 values; input name: x",
        ),
        (
            infer_bytes(1, 4, raw=b"", fp32_contents=[0] * 4),
            BOTH_CONTENTS,
        ),
        (infer_bytes(1, 4, raw=b"", datatype="FP7"), "FP7"),
        (infer_bytes(1, -4, raw=b""), "input name: x"),
        (infer_bytes(1 << 40, 1 << 40, raw=b""), "input name: x"),
        (infer_bytes(1, raw=b"\xff\xff\xff\x7f", datatype="BYTES"), "x"),
        (
            infer_bytes(1, 4, int_contents=[0] * 4),
            "0 values; input name: x; FP32 goes into fp32_contents, not into int_contents",
        ),
        (b"\xff\xff\xff this is not a message", ""),
    ],
    ids=range(12),
)
def test_infer_over_grpc(ports: Ports, request_bytes: bytes, text: str) -> None:
    answer = ports.call(INFER, request_bytes)
    assert answer.code == "INVALID_ARGUMENT"
    assert text in answer.text


@pytest.mark.parametrize(
    "method",
    [
        "tensorflow.serving.PredictionService/GetModelMetadata",
        "tensorflow.serving.ModelService/GetModelStatus",
        "inference.GRPCInferenceService/ModelReady",
    ],
)
def test_bytes_that_are_no_message(ports: Ports, method: str) -> None:
    answer = ports.call(f"/{method}", b"\xff\xff\xff this is not a message")
    assert answer.code == "INVALID_ARGUMENT"
    assert "The request is not a valid " in answer.text


@pytest.mark.parametrize("protocol", ["tfs-grpc", "kserve-grpc"])
def test_after_all_that_the_server_answers(ports: Ports, protocol: str) -> None:
    assert EVERYWHERE[protocol](ports, Ask()).code in {"OK", 200}
