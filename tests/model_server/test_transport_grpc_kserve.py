"""KServe v2 over gRPC, seen from the wire."""

import time
from collections.abc import Iterator

import grpc
import numpy as np
import pytest

from camfleet_contracts.protocols import inference_pb2 as pb
from camfleet_contracts.tensors import encode_raw
from camfleet_server.errors import DeadlineExceeded, ServerError, Superseded
from camfleet_server.transports.kserve_terms import deadline_within
from transport_callers import KSERVE, GrpcCaller, refused, serving_grpc


@pytest.fixture(scope="module")
def server() -> Iterator[GrpcCaller]:
    with serving_grpc(server_name="triton") as caller:
        yield caller


@pytest.fixture
def caller(server: GrpcCaller) -> Iterator[GrpcCaller]:
    yield server
    server.plane.failure = None
    server.plane.is_ready = True


def infer_request(
    name: str = "increment", version: str = "", request_id: str = ""
) -> pb.ModelInferRequest:
    request = pb.ModelInferRequest(model_name=name, model_version=version, id=request_id)
    request.inputs.add(name="image", datatype="FP32", shape=[1, 3, 2, 4])
    request.raw_input_contents.append(encode_raw(np.zeros((1, 3, 2, 4), np.float32)))
    return request


def pair_request() -> pb.ModelInferRequest:
    request = pb.ModelInferRequest(model_name="pair")
    for name in ("left", "right"):
        item = request.inputs.add(name=name, datatype="INT32", shape=[1, 2])
        item.contents.int_contents.extend([3, 4])
    return request


def test_infer_answers_raw_with_id_and_version(caller: GrpcCaller) -> None:
    response = caller.kserve("ModelInfer", infer_request(request_id="req-7"))
    assert (response.model_name, response.model_version, response.id) == ("increment", "2", "req-7")
    assert list(response.outputs[0].shape) == [1, 3, 2, 4]
    assert response.raw_output_contents[0] == np.ones((1, 3, 2, 4), np.float32).tobytes()


def test_typed_contents_and_requested_outputs(caller: GrpcCaller) -> None:
    request = pair_request()
    request.outputs.add(name="total")
    response = caller.kserve("ModelInfer", request)
    assert [output.name for output in response.outputs] == ["total"]
    assert np.frombuffer(response.raw_output_contents[0], np.int32).tolist() == [6, 8]


def test_parameters_set_stream_priority_and_deadline(caller: GrpcCaller) -> None:
    request = infer_request()
    request.parameters["stream_id"].string_param = "front-door"
    request.parameters["priority"].uint64_param = 1
    request.parameters["timeout"].int64_param = 2_000_000
    before = time.monotonic()
    caller.kserve("ModelInfer", request)
    received = caller.plane.requests[-1]
    assert (received.stream_id, received.priority) == ("front-door", 1)
    assert received.deadline is not None
    assert before + 2 <= received.deadline <= time.monotonic() + 2


@pytest.mark.parametrize("timeout_us", [1 << 62, 10**400], ids=["2**62", "10**400"])
def test_timeout_of_centuries_is_no_deadline(timeout_us: int) -> None:
    assert deadline_within(timeout_us, None) is None
    assert deadline_within(timeout_us, 5.0) == 5.0


def test_deadline_of_the_call_wins_over_a_later_timeout(caller: GrpcCaller) -> None:
    request = infer_request()
    request.parameters["timeout"].int64_param = 3_600_000_000
    caller.kserve("ModelInfer", request, timeout_s=60)
    deadline = caller.plane.requests[-1].deadline
    assert deadline is not None
    assert deadline < time.monotonic() + 61


@pytest.mark.parametrize(
    ("request_message", "code", "texts"),
    [
        (
            infer_request("nope"),
            "NOT_FOUND",
            ("Request for unknown model", "Model with requested name is not found"),
        ),
        (
            infer_request(version="9"),
            "NOT_FOUND",
            ("version 9 is not found", "Model with requested version is not found"),
        ),
        (
            infer_request(version="latest"),
            "INVALID_ARGUMENT",
            ("invalid model version format in request", "latest"),
        ),
        (
            infer_request(version="-1"),
            "INVALID_ARGUMENT",
            ("invalid model version format in request",),
        ),
    ],
    ids=["unknown model", "unknown version", "no number", "negative"],
)
def test_infer_refuses_what_it_cannot_find(
    caller: GrpcCaller, request_message: pb.ModelInferRequest, code: str, texts: tuple[str, ...]
) -> None:
    with refused() as errors:
        caller.kserve("ModelInfer", request_message)
    assert errors[0].code().name == code
    assert all(text in errors[0].details() for text in texts)


def test_wrong_parameter_is_an_invalid_argument(caller: GrpcCaller) -> None:
    request = infer_request()
    request.parameters["priority"].string_param = "high"
    with refused() as errors:
        caller.kserve("ModelInfer", request)
    assert errors[0].code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "parameter 'priority' - Expected: a whole number" in errors[0].details()


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (DeadlineExceeded("increment"), "DEADLINE_EXCEEDED"),
        (Superseded("increment", "cam"), "ABORTED"),
        (ServerError("something else"), "INTERNAL"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_failures_end_the_call_with_their_code(
    caller: GrpcCaller, failure: ServerError, code: str
) -> None:
    caller.plane.failure = failure
    with refused() as errors:
        caller.kserve("ModelInfer", infer_request())
    assert (errors[0].code().name, errors[0].details()) == (code, str(failure))


def test_stream_answers_in_order_and_survives_errors(caller: GrpcCaller) -> None:
    responses = caller.stream(
        [
            infer_request(request_id="1"),
            infer_request("nope", request_id="2"),
            infer_request(request_id="3"),
        ]
    )
    assert [r.infer_response.id for r in responses] == ["1", "2", "3"]
    assert [bool(r.error_message) for r in responses] == [False, True, False]
    assert "Request for unknown model" in responses[1].error_message


def test_stream_survives_a_fault_of_the_server(caller: GrpcCaller) -> None:
    caller.plane.failure = KeyError("ours")
    responses = caller.stream([infer_request(), infer_request()])
    assert ["KeyError" in r.error_message for r in responses] == [True, True]


def test_server_is_live_and_ready_once_it_is(caller: GrpcCaller) -> None:
    caller.plane.is_ready = False
    assert caller.kserve("ServerLive", pb.ServerLiveRequest()).live
    assert not caller.kserve("ServerReady", pb.ServerReadyRequest()).ready


@pytest.mark.parametrize(
    ("name", "version", "ready"),
    [
        ("increment", "", True),
        ("increment", "1", True),
        ("increment", "9", False),
        ("no", "", False),
    ],
)
def test_model_ready(caller: GrpcCaller, name: str, version: str, ready: bool) -> None:
    response = caller.kserve("ModelReady", pb.ModelReadyRequest(name=name, version=version))
    assert response.ready is ready


def test_server_metadata_names_the_server(caller: GrpcCaller) -> None:
    response = caller.kserve("ServerMetadata", pb.ServerMetadataRequest())
    assert response.name == "triton"
    assert "model_configuration" in response.extensions


def test_model_metadata_keeps_names_types_and_shapes(caller: GrpcCaller) -> None:
    response = caller.kserve("ModelMetadata", pb.ModelMetadataRequest(name="increment"))
    described = response.inputs[0]
    assert list(response.versions) == ["1", "2"]
    assert (described.name, described.datatype, list(described.shape)) == (
        "image",
        "FP32",
        [1, 3, -1, 4],
    )


def test_model_config_carries_the_manifest(caller: GrpcCaller) -> None:
    response = caller.kserve("ModelConfig", pb.ModelConfigRequest(name="increment", version="1"))
    manifest = response.config.parameters["camfleet.manifest"].string_value
    assert manifest == '{"id": "increment", "version": 1}'
    assert response.config.input[0].data_type == pb.TYPE_FP32


@pytest.mark.parametrize(
    ("only_ready", "states"),
    [(False, {"READY", "UNAVAILABLE"}), (True, {"READY"})],
    ids=["all", "ready"],
)
def test_repository_index(caller: GrpcCaller, only_ready: bool, states: set[str]) -> None:
    response = caller.kserve("RepositoryIndex", pb.RepositoryIndexRequest(ready=only_ready))
    assert {model.state for model in response.models} == states


def test_cuda_shared_memory_is_not_offered(caller: GrpcCaller) -> None:
    with refused() as errors:
        caller.channel.unary_unary(f"{KSERVE}/CudaSharedMemoryRegister")(b"", timeout=60)
    assert errors[0].code() is grpc.StatusCode.UNIMPLEMENTED
    assert "use system shared memory" in errors[0].details()


def test_a_message_of_many_megabytes_is_taken(caller: GrpcCaller) -> None:
    request = pb.ModelInferRequest(model_name="increment")
    request.inputs.add(name="image", datatype="FP32", shape=[1, 3, 1 << 17, 4])
    request.raw_input_contents.append(bytes(6 << 20))
    big = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    with grpc.insecure_channel(f"127.0.0.1:{caller.port}", options=big) as channel:
        roomy = GrpcCaller(caller.plane, caller.port, channel, caller.metrics)
        response = roomy.kserve("ModelInfer", request, timeout_s=60)
    assert len(response.raw_output_contents[0]) == 6 << 20


def in_region(request: pb.ModelInferRequest, **parameters: int) -> pb.ModelInferRequest:
    request.inputs[0].parameters["shared_memory_region"].string_param = "frames"
    for name, value in parameters.items():
        request.inputs[0].parameters[name].int64_param = value
    return request


@pytest.mark.parametrize(
    ("request_message", "code", "text"),
    [
        (
            in_region(pair_request(), shared_memory_byte_size=8),
            grpc.StatusCode.INVALID_ARGUMENT,
            "both in a shared memory region and in contents",
        ),
        (
            in_region(infer_request()),
            grpc.StatusCode.INVALID_ARGUMENT,
            "Invalid number of raw_input_contents - Expected: 0; Actual: 1",
        ),
    ],
    ids=["and contents", "and raw contents"],
)
def test_an_input_is_in_shared_memory_or_in_the_message(
    caller: GrpcCaller, request_message: pb.ModelInferRequest, code: grpc.StatusCode, text: str
) -> None:
    with refused() as errors:
        caller.kserve("ModelInfer", request_message)
    assert errors[0].code() is code
    assert text in errors[0].details()


def test_shared_memory_is_refused_where_it_is_not_allowed(caller: GrpcCaller) -> None:
    request = in_region(infer_request(), shared_memory_byte_size=96)
    del request.raw_input_contents[:]
    with refused() as errors:
        caller.kserve("ModelInfer", request)
    assert errors[0].code() is grpc.StatusCode.FAILED_PRECONDITION
    assert "--allow-client-shm" in errors[0].details()


def test_classes_come_as_texts_with_their_shape(caller: GrpcCaller) -> None:
    request = pair_request()
    request.outputs.add(name="total").parameters["classification"].int64_param = 1
    response = caller.kserve("ModelInfer", request)
    assert (response.outputs[0].datatype, list(response.outputs[0].shape)) == ("BYTES", [1, 1])
    assert response.raw_output_contents[0] == b"\x03\x00\x00\x008:1"
