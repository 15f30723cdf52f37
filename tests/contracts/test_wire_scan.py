"""Inference requests scanned in their bytes give what protobuf gives, or are refused as it does."""

import random
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import pytest
from google.protobuf.message import DecodeError

from camfleet_contracts.protocols import inference_pb2, serving_pb2, tensorflow_pb2
from camfleet_contracts.wire import (
    MalformedMessage,
    Remembered,
    parse_infer_head,
    parse_predict_head,
    scan_infer_request,
    scan_predict_request,
)

MUTATIONS = 10_000
STREAM_ID = bytes([10 << 3, 5])  # PredictRequest.stream_id of Axis cameras


def infer_request(raws: int = 2, *, size: int = 300) -> inference_pb2.ModelInferRequest:
    request = inference_pb2.ModelInferRequest(model_name="m", model_version="3", id="größe-7")
    request.parameters["stream_id"].string_param = "front"
    for number in range(raws):
        request.inputs.add(name=f"x{number}", datatype="UINT8", shape=[1, size])
        request.raw_input_contents.append(bytes([number]) * size)
    request.outputs.add(name="y")
    return request


def typed_request() -> inference_pb2.ModelInferRequest:
    request = inference_pb2.ModelInferRequest(model_name="m")
    item = request.inputs.add(name="x", datatype="INT32", shape=[3])
    item.contents.int_contents.extend([1, -2, 3])
    return request


def predict_request() -> serving_pb2.PredictRequest:
    request = serving_pb2.PredictRequest(output_filter=["y"])
    request.model_spec.name = "m"
    request.model_spec.version.value = 300
    image = request.inputs["image"]
    image.dtype = tensorflow_pb2.DT_UINT8
    image.tensor_shape.dim.add(size=200)
    image.tensor_content = bytes(200)
    typed = request.inputs["größe"]
    typed.dtype = tensorflow_pb2.DT_FLOAT
    typed.float_val.extend([1.5, 2.5])
    request.inputs["text"].string_val.append(b"\xff\xd8")
    return request


class Whole(NamedTuple):
    """A request put together again, in bytes: NaN is not equal to itself."""

    message: bytes
    tensors: dict[str, bytes]


def whole(message: Any, tensors: Mapping[str, tensorflow_pb2.TensorProto] | None = None) -> Whole:
    named = {name: tensor.SerializeToString() for name, tensor in (tensors or {}).items()}
    return Whole(message.SerializeToString(deterministic=True), named)


def scanned_infer(data: bytes) -> Whole:
    scan = scan_infer_request(data)
    message = inference_pb2.ModelInferRequest()
    message.CopyFrom(parse_infer_head(scan.head))
    message.id = scan.request_id.decode()
    message.raw_input_contents.extend(bytes(raw) for raw in scan.raws)
    return whole(message)


def parsed_infer(data: bytes) -> Whole:
    return whole(inference_pb2.ModelInferRequest.FromString(data))


def scanned_predict(data: bytes) -> Whole:
    scan = scan_predict_request(data)
    message, tensors = parse_predict_head(scan.head)
    for tensor, content in zip(tensors.values(), scan.contents, strict=True):
        tensor.tensor_content = tensor.tensor_content if content is None else bytes(content)
    return whole(message, tensors)


def parsed_predict(data: bytes) -> Whole:
    message = serving_pb2.PredictRequest.FromString(data)
    tensors = dict(message.inputs)
    head = serving_pb2.PredictRequest()
    head.CopyFrom(message)
    head.ClearField("inputs")
    return whole(head, tensors)


def outcome(read: Callable[[bytes], Whole], data: bytes) -> Whole | str:
    try:
        return read(data)
    except (DecodeError, MalformedMessage):
        return "refused"


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Flip, cut, double or insert a few bytes."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(changed) + 1)
        kind = chance.randrange(4)
        if kind == 0:
            changed[at : at + 1] = bytes([chance.randrange(256)])
        elif kind == 1:
            del changed[at : at + chance.randint(1, 20)]
        elif kind == 2:
            changed[at:at] = changed[at : at + chance.randint(1, 40)]
        else:
            changed[at:at] = chance.randbytes(chance.randint(1, 4))
    return bytes(changed)


@pytest.mark.parametrize(
    "request_message",
    [infer_request(), infer_request(0), infer_request(1, size=0), typed_request()],
    ids=["raw", "nothing", "empty raw", "typed"],
)
def test_a_scanned_infer_request_is_what_protobuf_reads(
    request_message: inference_pb2.ModelInferRequest,
) -> None:
    data = request_message.SerializeToString()
    assert scanned_infer(data) == parsed_infer(data)


def test_a_scanned_predict_request_is_what_protobuf_reads() -> None:
    data = predict_request().SerializeToString()
    assert scanned_predict(data) == parsed_predict(data)


def test_contents_are_views_of_the_message() -> None:
    infer = infer_request().SerializeToString()
    predict = predict_request().SerializeToString()
    views = [*scan_infer_request(infer).raws, *scan_predict_request(predict).contents]
    owners = [view.obj for view in views if view is not None]
    assert [any(owner is data for data in (infer, predict)) for owner in owners] == [True] * 3


def test_fields_nobody_knows_are_tolerated() -> None:
    predict = predict_request().SerializeToString() + STREAM_ID
    infer = infer_request().SerializeToString() + bytes([0xA8, 0x06, 5])
    assert scanned_predict(predict) == parsed_predict(predict)
    assert scanned_infer(infer) == parsed_infer(infer)


def test_fields_in_another_order_are_the_same_request() -> None:
    first = inference_pb2.ModelInferRequest(raw_input_contents=[b"12"]).SerializeToString()
    second = inference_pb2.ModelInferRequest(model_name="m", id="a").SerializeToString()
    third = inference_pb2.ModelInferRequest(id="b", raw_input_contents=[b"3"]).SerializeToString()
    data = first + second + third
    assert scanned_infer(data) == parsed_infer(data)


def test_an_input_sent_twice_counts_once_as_in_protobuf() -> None:
    data = predict_request().SerializeToString() * 2
    assert scanned_predict(data) == parsed_predict(data)


@pytest.mark.parametrize(
    ("scanned", "parsed", "data"),
    [
        (scanned_infer, parsed_infer, infer_request().SerializeToString()),
        (scanned_infer, parsed_infer, typed_request().SerializeToString()),
        (scanned_predict, parsed_predict, predict_request().SerializeToString()),
    ],
    ids=["infer", "typed", "predict"],
)
def test_mutated_requests_end_as_in_protobuf(
    scanned: Callable[[bytes], Whole], parsed: Callable[[bytes], Whole], data: bytes
) -> None:
    chance = random.Random(7)
    mutations = [mutated(data, chance) for _ in range(MUTATIONS)]
    differing = [m for m in mutations if outcome(scanned, m) != outcome(parsed, m)]
    assert differing == []


@pytest.mark.parametrize(
    ("read", "parsed", "data"),
    [
        (scanned_infer, parsed_infer, infer_request().SerializeToString()),
        (scanned_predict, parsed_predict, predict_request().SerializeToString()),
    ],
    ids=["infer", "predict"],
)
def test_every_truncation_is_refused_or_valid(
    read: Callable[[bytes], Whole], parsed: Callable[[bytes], Whole], data: bytes
) -> None:
    cuts = [data[:end] for end in range(len(data))]
    assert [outcome(read, cut) for cut in cuts] == [outcome(parsed, cut) for cut in cuts]


def test_a_malformed_request_says_what_was_expected() -> None:
    with pytest.raises(MalformedMessage, match="Expected: a ModelInferRequest"):
        scan_infer_request(b"\x3a\xff\xff")
    with pytest.raises(MalformedMessage, match="Expected: a PredictRequest"):
        scan_predict_request(b"\x12\x05abc")
    with pytest.raises(MalformedMessage, match="Expected: a PredictRequest"):
        parse_predict_head((b"", b"\xc3", b""))


def test_what_was_made_is_remembered_up_to_the_limit() -> None:
    remembered: Remembered[int, object] = Remembered(lambda _: object(), limit=2)
    one = remembered(1)
    two = remembered(2)
    assert (remembered(1), remembered(2)) == (one, two)
    remembered(3)
    assert remembered(2) is two
    assert remembered(1) is not one
