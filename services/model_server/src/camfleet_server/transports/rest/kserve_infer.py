"""Inference in JSON, with the binary extension: requests read, answers written."""

import json
from typing import Any, NamedTuple

from numpy.typing import NDArray
from starlette.requests import Request
from starlette.responses import Response

from camfleet_contracts.tensors import datatype_of, decode_raw, encode_raw
from camfleet_server.errors import InvalidInput, WrongDatatype
from camfleet_server.transports.kserve_terms import deadline_from, number_from, stream_from
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
    binary: frozenset[str]  # outputs it wants as bytes
    all_binary: bool


def split_body(request: Request, body: bytes) -> tuple[dict[str, Any], memoryview]:
    """Split a body into its JSON and the bytes behind it.

    Raises:
        InvalidInput: the header that tells where the JSON ends is wrong, or it is no JSON.
    """
    view = memoryview(body)
    declared = request.headers.get(HEADER_LENGTH)
    if declared is None:
        return parse_object(view), view[:0]
    if not declared.isdigit():
        raise InvalidInput(f"{HEADER_LENGTH} header - Expected: a number; Actual: {declared!r}")
    if int(declared) > len(view):
        raise InvalidInput(f"{HEADER_LENGTH} header exceeds actual payload length")
    return parse_object(view[: int(declared)]), view[int(declared) :]


def read_request(
    name: str, version: int | None, head: dict[str, Any], tail: memoryview
) -> tuple[InferRequest, WantedAnswer]:
    """Read an inference request from its JSON and the bytes behind it.

    Raises:
        InvalidInput, InvalidTensor: name what is missing or does not fit.
    """
    parameters = _mapping(head.get("parameters"), "parameters")
    outputs = [_mapping(output, "outputs") for output in _list(head.get("outputs"), "outputs")]
    names = [_text(output, "name", "outputs") for output in outputs]
    flags = [_mapping(output.get("parameters"), "parameters") for output in outputs]
    request = InferRequest(
        model=name,
        version=version,
        inputs=_read_inputs(_list(head.get("inputs"), "inputs"), tail),
        outputs=tuple(names),
        deadline=deadline_from(parameters, None),
        stream_id=stream_from(parameters),
        priority=number_from(parameters, "priority"),
    )
    wanted = WantedAnswer(
        request_id=str(head.get("id", "")),
        binary=frozenset(n for n, f in zip(names, flags, strict=True) if f.get("binary_data")),
        all_binary=bool(parameters.get("binary_data_output")) and not outputs,
    )
    return request, wanted


def _read_inputs(items: list[Any], tail: memoryview) -> dict[str, NDArray[Any]]:
    inputs: dict[str, NDArray[Any]] = {}
    for raw_item in items:
        item = _mapping(raw_item, "inputs")
        name = _text(item, "name", "inputs")
        if name in inputs:
            raise InvalidInput(f"Invalid number of inputs - input name sent twice: {name}")
        size = number_from(_mapping(item.get("parameters"), "parameters"), "binary_data_size")
        if size > len(tail):
            raise InvalidInput(
                f"Invalid content size of tensor proto - Expected: {size} bytes; "
                f"Actual: {len(tail)} bytes; input name: {name}"
            )
        inputs[name] = _read_input(item, name, tail[:size])
        tail = tail[size:]
    return inputs


def _read_input(item: dict[str, Any], name: str, raw: memoryview) -> NDArray[Any]:
    datatype = _text(item, "datatype", "inputs")
    shape = _list(item.get("shape"), "shape")
    if "data" in item:
        array = shaped(array_from_json(item["data"], datatype, name), shape, name)
        if datatype_of(array) != datatype:
            raise WrongDatatype(name, datatype, datatype_of(array))
        return array
    return decode_raw(raw, datatype, checked_shape(shape, name), name)


def infer_response(result: InferResult, wanted: WantedAnswer) -> Response:
    """Write an answer as the client wants it: JSON, or JSON and bytes."""
    blobs: list[bytes] = []
    outputs = [
        _output_json(name, array, blobs if wanted.all_binary or name in wanted.binary else None)
        for name, array in result.outputs.items()
    ]
    head: dict[str, Any] = {
        "model_name": result.model,
        "model_version": str(result.version),
        "outputs": outputs,
    }
    if wanted.request_id:
        head["id"] = wanted.request_id
    text = json.dumps(head, separators=(",", ":")).encode()
    if not blobs:
        return Response(text, media_type="application/json")
    headers = {HEADER_LENGTH: str(len(text))}
    return Response(
        b"".join([text, *blobs]), headers=headers, media_type="application/octet-stream"
    )


def _output_json(name: str, array: NDArray[Any], blobs: list[bytes] | None) -> dict[str, Any]:
    """Describe one output; its bytes are added to `blobs`, where there is none they go as data."""
    output: dict[str, Any] = {
        "name": name,
        "datatype": datatype_of(array, name),
        "shape": array.shape,
    }
    if blobs is None:
        output["data"] = array_to_json(array.reshape(-1))
    else:
        blobs.append(encode_raw(array))
        output["parameters"] = {"binary_data_size": len(blobs[-1])}
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
