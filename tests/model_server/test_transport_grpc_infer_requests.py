"""ModelInferRequests as the data plane gets them, and every way in which they can be malformed."""

from typing import Any

import numpy as np
import pytest

from camfleet_contracts.protocols import inference_pb2
from camfleet_contracts.tensors import InvalidTensor
from camfleet_contracts.wire import scan_infer_request
from camfleet_server.errors import InvalidInput
from camfleet_server.serving.shared_memory import SharedMemory
from camfleet_server.transports.grpc.kserve_infer import InferHead
from camfleet_server.transports.grpc.kserve_tensors import GrpcTensorExtensions
from camfleet_server.transports.kserve_tensors import TensorPlaces
from camfleet_server.types import Tensors

NO_REGIONS = GrpcTensorExtensions(TensorPlaces(SharedMemory()))


def inputs_of(request: inference_pb2.ModelInferRequest) -> Tensors:
    scan = scan_infer_request(request.SerializeToString())
    return InferHead(scan.head).read_inputs(scan.raws, NO_REGIONS)


def request_of(
    datatype: str, shape: list[int], *, raw: bytes | None = None, **contents: list[Any]
) -> inference_pb2.ModelInferRequest:
    request = inference_pb2.ModelInferRequest()
    item = request.inputs.add(name="x", datatype=datatype, shape=shape)
    for field, values in contents.items():
        getattr(item.contents, field).extend(values)
    if raw is not None:
        request.raw_input_contents.append(raw)
    return request


def test_raw_inputs_are_views_of_the_message() -> None:
    message = request_of("FP32", [2], raw=np.ones(2, np.float32).tobytes()).SerializeToString()
    scan = scan_infer_request(message)
    array = InferHead(scan.head).read_inputs(scan.raws, NO_REGIONS)["x"]
    assert np.shares_memory(array, np.frombuffer(message, np.uint8))


def test_a_head_is_equal_for_requests_that_differ_in_id_and_contents_only() -> None:
    first = request_of("FP32", [1], raw=bytes(4))
    first.id = "1"
    second = request_of("FP32", [1], raw=b"1234")
    second.id = "2"
    scans = [scan_infer_request(message.SerializeToString()) for message in (first, second)]
    assert scans[0].head == scans[1].head
    assert [scan.request_id for scan in scans] == [b"1", b"2"]


@pytest.mark.parametrize("parameter", ["sequence_id", "sequence_start", "sequence_end"])
def test_sequences_are_refused_by_parameter(parameter: str) -> None:
    request = request_of("FP32", [1], raw=bytes(4))
    request.parameters[parameter].int64_param = 7
    with pytest.raises(InvalidInput, match=parameter):
        inputs_of(request)


def with_both() -> inference_pb2.ModelInferRequest:
    return request_of("FP32", [1], raw=bytes(4), fp32_contents=[1.0])


def with_two_inputs_and_one_raw() -> inference_pb2.ModelInferRequest:
    request = request_of("FP32", [1], raw=bytes(4))
    request.inputs.add(name="y", datatype="FP32", shape=[1])
    return request


def with_a_name_twice() -> inference_pb2.ModelInferRequest:
    request = request_of("FP32", [1], raw=bytes(4))
    request.inputs.add(name="x", datatype="FP32", shape=[1])
    request.raw_input_contents.append(bytes(4))
    return request


@pytest.mark.parametrize(
    ("request_message", "text"),
    [
        (
            with_both(),
            (
                "Passing buffers both in ModelInferRequest::InferInputTensor::contents and in "
                "ModelInferRequest::raw_input_contents is not allowed"
            ),
        ),
        (
            with_two_inputs_and_one_raw(),
            "Invalid number of raw_input_contents - Expected: 2; Actual: 1",
        ),
        (with_a_name_twice(), "input name sent twice: x"),
        (
            request_of("FP32", [1, 3, 224, 224], raw=b"1234567890"),
            (
                "Invalid content size of tensor proto - Expected: 602112 bytes; Actual: 10 bytes; "
                "input name: x"
            ),
        ),
        (
            request_of("FP32", [3], fp32_contents=[1, 2]),
            (
                "Invalid number of values in tensor proto container - Expected: 3 values; "
                "Actual: 2 values; input name: x"
            ),
        ),
        (request_of("FP32", [1], int_contents=[1]), "Actual: 0 values"),
        (request_of("INT8", [1], int_contents=[300]), "Invalid value in tensor - INT8"),
        (request_of("FP16", [1], fp32_contents=[1]), "send raw_input_contents"),
        (request_of("BF16", [1], raw=b"12"), "send FP32 or FP16 instead; input name: x"),
        (request_of("FLOAT", [1], raw=bytes(4)), "Actual: FLOAT"),
        (request_of("", [1], raw=bytes(4)), "Actual: nothing"),
        (request_of("FP32", [-1], raw=bytes(4)), "Expected: dimensions of 0 and more"),
        (request_of("BYTES", [1], raw=b"\x09\x00\x00\x00ab"), "Expected: 13 bytes; Actual: 6"),
        (request_of("BYTES", [1], raw=b"\x09\x00"), "Invalid content size of tensor proto"),
        (request_of("BYTES", [2], raw=b"\x01\x00\x00\x00a"), "Expected: 2 values; Actual: 1"),
    ],
)
def test_malformed_kserve_request_is_refused(
    request_message: inference_pb2.ModelInferRequest, text: str
) -> None:
    with pytest.raises(InvalidTensor) as refused:
        inputs_of(request_message)
    assert text in str(refused.value)
