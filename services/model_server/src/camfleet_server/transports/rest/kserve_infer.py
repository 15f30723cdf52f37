"""Inference in JSON, with the binary extension: requests read, answers written."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from numpy.typing import NDArray
from starlette.requests import Request
from starlette.responses import Response

from camfleet_contracts.tensors import datatype_of, decode_raw, encode_raw
from camfleet_server.errors import InvalidInput
from camfleet_server.input_errors import WrongDatatype
from camfleet_server.transports.kserve_tensors import TensorPlaces
from camfleet_server.transports.kserve_terms import (
    LONGEST_NUMBER,
    REGION,
    deadline_from,
    number_from,
    refuse_sequences,
    stream_from,
)
from camfleet_server.transports.rest.bodies import Body
from camfleet_server.transports.rest.compression import encoded_response
from camfleet_server.transports.rest.json_tensors import (
    array_from_json,
    array_to_json,
    checked_shape,
    parse_object,
    shaped,
)
from camfleet_server.types import InferRequest, InferResult

HEADER_LENGTH = "Inference-Header-Content-Length"


class WantedAnswer(NamedTuple):
    """How a client wants its answer."""

    request_id: str
    outputs: Mapping[str, Mapping[str, Any]]  # parameters of those it names
    is_binary: bool  # where an output does not say


def split_body(request: Request, body: Body) -> tuple[dict[str, Any], memoryview]:
    """Split a body into its JSON and the bytes behind it.

    Raises:
        InvalidInput: the header that tells where the JSON ends is wrong, or it is not JSON.
    """
    view = memoryview(body)
    declared = request.headers.get(HEADER_LENGTH)
    if declared is None:
        return parse_object(view), view[:0]
    if not (declared.isdigit() and len(declared) <= LONGEST_NUMBER):
        raise InvalidInput(
            f"{HEADER_LENGTH} header - Expected: a number; Actual: {declared[:40]!r}"
        )
    if int(declared) > len(view):
        raise InvalidInput(f"{HEADER_LENGTH} header exceeds actual payload length")
    return parse_object(view[: int(declared)]), view[int(declared) :]


def read_request(
    name: str,
    version: int | None,
    head: dict[str, Any],
    tail: memoryview,
    places: TensorPlaces,
) -> tuple[InferRequest, WantedAnswer]:
    """Read an inference request from its JSON and the bytes behind it.

    Raises:
        InvalidInput, InvalidTensor: name what is missing or does not fit.
    """
    parameters = _mapping(head.get("parameters"), "parameters")
    outputs = [_mapping(output, "outputs") for output in _list(head.get("outputs"), "outputs")]
    wishes = {
        _text(output, "name", "outputs"): _mapping(output.get("parameters"), "parameters")
        for output in outputs
    }
    refuse_sequences(parameters)
    request = InferRequest(
        model=name,
        version=version,
        inputs=_read_inputs(_list(head.get("inputs"), "inputs"), tail, places),
        outputs=tuple(wishes),
        deadline=deadline_from(parameters, None),
        stream_id=stream_from(parameters),
        priority=number_from(parameters, "priority"),
    )
    wanted = WantedAnswer(
        request_id=str(head.get("id", "")),
        outputs=wishes,
        is_binary=bool(parameters.get("binary_data_output")),
    )
    return request, wanted


def _read_inputs(
    items: list[Any], tail: memoryview, places: TensorPlaces
) -> dict[str, NDArray[Any]]:
    inputs: dict[str, NDArray[Any]] = {}
    for raw_item in items:
        item = _mapping(raw_item, "inputs")
        name = _text(item, "name", "inputs")
        if name in inputs:
            raise InvalidInput(f"Invalid number of inputs - input name sent twice: {name}")
        parameters = _mapping(item.get("parameters"), "parameters")
        if REGION in parameters:
            inputs[name] = _read_region(item, name, parameters, places)
            continue
        size = number_from(parameters, "binary_data_size")
        if size > len(tail):
            raise InvalidInput(
                f"Invalid content size of tensor proto - Expected: {size} bytes; "
                f"Actual: {len(tail)} bytes; input name: {name}"
            )
        inputs[name] = _read_input(item, name, tail[:size])
        tail = tail[size:]
    if tail:
        raise InvalidInput(
            f"Invalid content size - {len(tail)} bytes are left behind those that binary_data_size "
            "of the inputs names"
        )
    return inputs


def _read_region(
    item: dict[str, Any], name: str, parameters: dict[str, Any], places: TensorPlaces
) -> NDArray[Any]:
    if "data" in item:
        raise InvalidInput(
            f"Passing an input both in a shared memory region and in data is not allowed; "
            f"input name: {name}"
        )
    shape = checked_shape(_list(item.get("shape"), "shape"), name)
    return places.read(parameters, _text(item, "datatype", "inputs"), shape, name)


def _read_input(item: dict[str, Any], name: str, raw: memoryview) -> NDArray[Any]:
    datatype = _text(item, "datatype", "inputs")
    shape = _list(item.get("shape"), "shape")
    if "data" in item and raw:
        raise InvalidInput(
            f"Passing an input both in data and by binary_data_size is not allowed; "
            f"input name: {name}"
        )
    if "data" in item and datatype == "FP16":
        raise InvalidInput(
            "sending FP16 data via JSON is not supported. Please use the binary data format for "
            f"input {name}, or send FP32"
        )
    if "data" in item:
        array = shaped(array_from_json(item["data"], datatype, name), shape, name)
        if datatype_of(array) != datatype:
            raise WrongDatatype(name, datatype, datatype_of(array))
        return array
    return decode_raw(raw, datatype, checked_shape(shape, name), name)


def infer_response(
    request: Request, result: InferResult, wanted: WantedAnswer, places: TensorPlaces
) -> Response:
    """Write an answer as the client wants it: JSON, or JSON and bytes."""
    blobs: list[bytes] = []
    outputs = [_output_json(name, result, wanted, places, blobs) for name in result.outputs]
    head: dict[str, Any] = {
        "model_name": result.model,
        "model_version": str(result.version),
        "outputs": outputs,
    }
    if wanted.request_id:
        head["id"] = wanted.request_id
    text = json.dumps(head, separators=(",", ":")).encode()
    if not blobs:
        return encoded_response(request, text, "application/json")
    body = b"".join([text, *blobs])
    headers = {HEADER_LENGTH: str(len(text))}
    return encoded_response(request, body, "application/octet-stream", headers)


def _output_json(
    name: str,
    result: InferResult,
    wanted: WantedAnswer,
    places: TensorPlaces,
    blobs: list[bytes],
) -> dict[str, Any]:
    """Describe one output with its data, or tell where these are; bytes are added to `blobs`."""
    parameters = wanted.outputs.get(name, {})
    array = places.classified(parameters, result, name)
    output: dict[str, Any] = {
        "name": name,
        "datatype": datatype_of(array, name),
        "shape": array.shape,
    }
    if REGION in parameters:
        places.put(parameters, array, name)  # tritonclient in C++ takes parameters for bytes
    elif parameters.get("binary_data", wanted.is_binary):
        blobs.append(encode_raw(array))
        output["parameters"] = {"binary_data_size": len(blobs[-1])}
    else:
        output["data"] = array_to_json(array.reshape(-1))
    return output


def _mapping(value: Any, where: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidInput(f"Invalid JSON structure - {where}: Expected: an object")
    return value


def _list(value: Any, where: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise InvalidInput(f"Invalid JSON structure - {where}: Expected: a list")
    return value


def _text(item: dict[str, Any], key: str, where: str) -> str:
    value = item.get(key)
    if not isinstance(value, str):
        raise InvalidInput(f"Invalid JSON structure - {where}: '{key}' is missing or no text")
    return value
