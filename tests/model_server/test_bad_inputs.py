"""What a request can have wrong: code and text on every protocol, and a server that goes on.

The texts are OpenVINO Model Server's; the codes too, but where docs/compatibility.md says why not.
Pictures have their rows in test_images_protocols.py.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import grpc
import httpx
import numpy as np
import pytest
from numpy.typing import NDArray

from camfleet_contracts.protocols import inference_pb2, serving_pb2, tensorflow_pb2
from camfleet_contracts.tensors import encode_raw, encode_tensor_proto
from camfleet_server.metrics import ServerMetrics
from camfleet_server.transports.grpc.server import GrpcServer
from camfleet_server.transports.rest.app import build_app
from camfleet_server.transports.rest.server import RestServer
from camfleet_server.types import VersionState
from model_volume import Volume, running_core

TIMEOUT_S = 60
PREDICT = "/tensorflow.serving.PredictionService/Predict"
INFER = "/inference.GRPCInferenceService/ModelInfer"
GRPC_OF_HTTP = {400: "INVALID_ARGUMENT", 404: "NOT_FOUND", 503: "UNAVAILABLE"}
KSERVE_TYPES = {"float32": "FP32", "float64": "FP64", "uint8": "UINT8"}
BAD_SIZE = (
    "Invalid content size of tensor proto - Expected: 16 bytes; Actual: 10 bytes; input name: x"
)
BOTH_CONTENTS = (
    "Passing buffers both in ModelInferRequest::InferInputTensor::contents and in "
    "ModelInferRequest::raw_input_contents is not allowed"
)

Tensor = NDArray[Any]


@dataclass(frozen=True)
class Ports:
    """One server with two versions of an adder, of which the first is retired, and garbage."""

    channel: grpc.Channel
    http: httpx.Client

    def call(self, method: str, request: bytes) -> "Answer":
        """Call a method with the bytes of a message."""
        try:
            self.channel.unary_unary(method)(request, timeout=TIMEOUT_S)
        except grpc.RpcError as error:
            return Answer(error.code().name, error.details())
        return Answer("OK", "")

    def post(self, path: str, **options: Any) -> "Answer":
        """Post to a path; the code is HTTP's."""
        response = self.http.post(path, **options)
        return Answer(response.status_code, response.text)


class Answer(NamedTuple):
    code: str | int
    text: str


@pytest.fixture(scope="module")
def ports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ports]:
    volume = Volume(tmp_path_factory.mktemp("bad-inputs"))
    volume.publish_adder("adder", 1, 1.0)
    volume.serve("adder")
    with running_core(volume) as core:
        core.wait_for("adder", 1)
        volume.publish_garbage("garbage", 1)
        volume.publish_adder("adder", 2, 2.0)
        volume.serve("garbage")
        core.wait_for("adder", 1, VersionState.END)
        core.wait_for_fault("garbage")
        server = GrpcServer(core.plane, ServerMetrics())
        rest = RestServer(build_app(core.plane, ServerMetrics()))
        grpc_port, rest_port = server.bind("127.0.0.1", 0), rest.bind("127.0.0.1", 0)
        server.start()
        rest.start()
        url = f"http://127.0.0.1:{rest_port}"
        with (
            grpc.insecure_channel(f"127.0.0.1:{grpc_port}") as channel,
            httpx.Client(base_url=url, timeout=TIMEOUT_S, trust_env=False) as http,
        ):
            yield Ports(channel, http)
        rest.stop()
        server.stop(0)


# What can be asked in every protocol -----------------------------------------------------------


@dataclass(frozen=True)
class Ask:
    """An inference, free of any protocol."""

    model: str = "adder"
    version: int = 0
    inputs: dict[str, Tensor] = field(default_factory=lambda: {"x": np.zeros((1, 4), np.float32)})
    output: str = ""


def ask_tfs_grpc(ports: Ports, ask: Ask) -> Answer:
    request = serving_pb2.PredictRequest()
    request.model_spec.name = ask.model
    request.model_spec.version.value = ask.version
    request.output_filter.extend([ask.output] if ask.output else [])
    for name, array in ask.inputs.items():
        request.inputs[name].CopyFrom(encode_tensor_proto(array))
    return ports.call(PREDICT, request.SerializeToString())


def ask_kserve_grpc(ports: Ports, ask: Ask) -> Answer:
    version = str(ask.version or "")
    request = inference_pb2.ModelInferRequest(model_name=ask.model, model_version=version)
    for name, array in ask.inputs.items():
        request.inputs.add(name=name, datatype=KSERVE_TYPES[str(array.dtype)], shape=array.shape)
        request.raw_input_contents.append(encode_raw(array))
    if ask.output:
        request.outputs.add(name=ask.output)
    return ports.call(INFER, request.SerializeToString())


def ask_tfs_rest(ports: Ports, ask: Ask) -> Answer:
    inputs = {name: array.tolist() for name, array in ask.inputs.items()}
    path = f"/v1/models/{ask.model}/versions/{ask.version}:predict"
    return in_words_of_grpc(ports.post(path, json={"inputs": inputs}))


def ask_kserve_rest(ports: Ports, ask: Ask) -> Answer:
    inputs = [
        {
            "name": name,
            "shape": list(array.shape),
            "datatype": KSERVE_TYPES[str(array.dtype)],
            "data": array.reshape(-1).tolist(),
        }
        for name, array in ask.inputs.items()
    ]
    body = {"inputs": inputs, "outputs": [{"name": ask.output}] if ask.output else []}
    path = f"/v2/models/{ask.model}/versions/{ask.version}/infer"
    return in_words_of_grpc(ports.post(path, json=body))


def in_words_of_grpc(answer: Answer) -> Answer:
    return Answer(GRPC_OF_HTTP.get(int(answer.code), answer.code), answer.text)


EVERYWHERE: dict[str, Callable[[Ports, Ask], Answer]] = {
    "tfs-grpc": ask_tfs_grpc,
    "kserve-grpc": ask_kserve_grpc,
    "tfs-rest": ask_tfs_rest,
    "kserve-rest": ask_kserve_rest,
}
TYPED = ("tfs-grpc", "kserve-grpc", "kserve-rest")  # where a request tells its types


def zeros(*shape: int, dtype: type = np.float32, name: str = "x") -> dict[str, Tensor]:
    return {name: np.zeros(shape, dtype)}


@pytest.mark.parametrize("protocol", EVERYWHERE)
@pytest.mark.parametrize(
    ("ask", "code", "text"),
    [
        (Ask("nope"), "NOT_FOUND", "Model with requested name is not found"),
        (Ask("nope"), "NOT_FOUND", "Request for unknown model: 'nope' is not found"),
        (Ask(version=9), "NOT_FOUND", "Model with requested version is not found"),
        (Ask(version=1), "NOT_FOUND", "Model with requested version is retired"),
        (Ask("garbage"), "UNAVAILABLE", "Model with requested version is not loaded yet"),
        (Ask("garbage"), "UNAVAILABLE", "reason: version 1: "),
        (
            Ask(inputs=zeros(1, 4) | zeros(1, 4, name="z")),
            "INVALID_ARGUMENT",
            "Invalid number of inputs - Expected: 1; Actual: 2",
        ),
        (Ask(inputs={}), "INVALID_ARGUMENT", "Invalid number of inputs - Expected: 1; Actual: 0"),
        (
            Ask(inputs=zeros(1, 4, name="z")),
            "INVALID_ARGUMENT",
            "Missing input with specific name - Required input: x",
        ),
        (
            Ask(inputs=zeros(4)),
            "INVALID_ARGUMENT",
            "Invalid number of shape dimensions - Expected: (1,4); Actual: (4); input name: x",
        ),
        (
            Ask(inputs=zeros(2, 4)),
            "INVALID_ARGUMENT",
            "Invalid input batch size - Expected: 1; Actual: 2; input name: x",
        ),
        (
            Ask(inputs=zeros(1, 5)),
            "INVALID_ARGUMENT",
            "Invalid input shape - Expected: (1,4); Actual: (1,5); input name: x",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_protocol_refuses_alike(
    ports: Ports, protocol: str, ask: Ask, code: str, text: str
) -> None:
    answer = EVERYWHERE[protocol](ports, ask)
    assert answer.code == code
    assert text in answer.text


@pytest.mark.parametrize("protocol", TYPED)
@pytest.mark.parametrize(
    ("ask", "text"),
    [
        (
            Ask(inputs=zeros(1, 4, dtype=np.uint8)),
            "Invalid input precision - Expected: FP32; Actual: UINT8; input name: x",
        ),
        (
            Ask(inputs=zeros(1, 4, dtype=np.float64)),
            "Invalid input precision - Expected: FP32; Actual: FP64; input name: x",
        ),
        (Ask(output="z"), "Missing output with specific name - Requested output: z; outputs: y"),
    ],
    ids=["uint8", "double", "output"],
)
def test_wrong_types_and_outputs(ports: Ports, protocol: str, ask: Ask, text: str) -> None:
    answer = EVERYWHERE[protocol](ports, ask)
    assert answer.code == "INVALID_ARGUMENT"
    assert text in answer.text


# TensorFlow Serving over gRPC ------------------------------------------------------------------


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
        (b"\xff\xff\xff this is no message", ""),
        (predict_bytes()[:-3], ""),
    ],
    ids=range(13),
)
def test_predict_over_grpc(ports: Ports, request_bytes: bytes, text: str) -> None:
    answer = ports.call(PREDICT, request_bytes)
    assert answer.code == "INVALID_ARGUMENT"
    assert text in answer.text


# KServe over gRPC ------------------------------------------------------------------------------


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
        (infer_bytes(1, 4, int_contents=[0] * 4), "input name: x"),
        (b"\xff\xff\xff this is no message", ""),
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
    answer = ports.call(f"/{method}", b"\xff\xff\xff this is no message")
    assert answer.code == "INVALID_ARGUMENT"
    assert "The request is no " in answer.text


# REST ------------------------------------------------------------------------------------------

TFS = "/v1/models/adder:predict"
KSERVE = "/v2/models/adder/infer"
NO_FORMAT = "Invalid JSON structure. Could not detect row or column format"
NO_ROWS = "Could not parse instance content. Not valid ndarray detected"
NEGATIVE_SIZE = b"""{"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 4],
                     "parameters": {"binary_data_size": -4}}]}"""
NO_COLUMN = "Could not parse input content. Not valid ndarray detected"


@pytest.mark.parametrize(
    ("path", "body", "code", "text"),
    [
        (TFS, b"", 400, "Invalid JSON structure"),
        (TFS, b"{", 400, "Invalid JSON structure"),
        (TFS, b"[]", 400, "Invalid JSON structure"),
        (TFS, b"\xff\xfe\xfd", 400, "Invalid JSON structure"),
        (TFS, b"{}", 400, NO_FORMAT),
        (TFS, b'{"instances": [], "inputs": []}', 400, NO_FORMAT),
        (TFS, b'{"instances": {}}', 400, NO_ROWS),
        (TFS, b'{"instances": []}', 400, NO_ROWS),
        (TFS, b'{"inputs": [[1, 2, 3, 4], [1]]}', 400, NO_COLUMN),
        (TFS, b'{"inputs": [["a", "b", "c", "d"]]}', 400, "input name: x"),
        (TFS, b'{"inputs": null}', 400, "input name: x"),
        ("/v1/models/adder/versions/x:predict", b"{}", 400, "Could not parse model version"),
        ("/v1/models/adder/labels/x:predict", b'{"inputs": 1}', 400, "Unrecognized servable"),
        ("/v1/models/adder:classify", b"{}", 501, "classify is not offered"),
        ("/v1/models", b"{}", 400, "Invalid request URL"),
        ("/v2/health/live", b"", 405, "Unsupported method"),
        (KSERVE, b"{", 400, "Invalid JSON structure"),
        (KSERVE, b'{"inputs": {}}', 400, "Expected: a list"),
        (KSERVE, b'{"inputs": [{"name": "x"}]}', 400, "'datatype' is missing"),
        (
            KSERVE,
            b'{"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 4], "data": [1]}]}',
            400,
            "Expected: 4 values; Actual: 1 values; input name: x",
        ),
        (
            KSERVE,
            b'{"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, "a"], "data": [1]}]}',
            400,
            "input name: x",
        ),
        (KSERVE, b'{"inputs": [{"name": "x", "datatype": "FP7", "shape": [1]}]}', 400, "FP7"),
        (
            KSERVE,
            NEGATIVE_SIZE,
            400,
            "parameter 'binary_data_size' - Expected: a whole number; Actual: -4",
        ),
        ("/v2/models/adder/versions/x/infer", b"{}", 400, "Could not parse model version"),
    ],
    ids=range(24),
)
def test_over_rest(ports: Ports, path: str, body: bytes, code: int, text: str) -> None:
    answer = ports.post(path, content=body)
    assert answer.code == code
    assert text in answer.text


@pytest.mark.parametrize(
    ("length", "text"),
    [
        ("99", "Inference-Header-Content-Length header exceeds actual payload length"),
        ("x", "Inference-Header-Content-Length"),
        ("9" * 5000, "Inference-Header-Content-Length"),
        ("1", "Invalid JSON structure"),
    ],
)
def test_the_length_of_the_json_is_wrong(ports: Ports, length: str, text: str) -> None:
    headers = {"Inference-Header-Content-Length": length}
    answer = ports.post(KSERVE, content=b"{}", headers=headers)
    assert answer.code == 400
    assert text in answer.text


@pytest.mark.parametrize("protocol", EVERYWHERE)
def test_after_all_that_the_server_answers(ports: Ports, protocol: str) -> None:
    assert EVERYWHERE[protocol](ports, Ask()).code in {"OK", 200}
