"""Tensors in JSON, as KServe v2 and TensorFlow Serving write them on REST."""

import base64
import binascii
import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from camfleet_contracts.json_text import parse_json
from camfleet_contracts.tensors import get_datatype
from camfleet_server.errors import InvalidInput
from camfleet_server.transports.rest.bodies import Body

_MAX_RANK = 32
_MAX_CONTAINERS = 4_000_000  # each takes about 100 bytes, however short its text
_DOUBLE_BYTES = 8
_B64 = "b64"
_KINDS = {"b": "b", "i": "iu", "u": "iu", "f": "iuf"}  # what JSON may hold for a dtype's kind
_WORDS = {  # for what numpy made of JSON
    "b": "true and false",
    "f": "numbers with fractions",
    "i": "whole numbers",
    "u": "whole numbers",
    "U": "text",
    "O": "null, objects or numbers beyond 64 bits",
}


def parse_object(body: Body | memoryview) -> dict[str, Any]:
    """Parse a request body.

    Raises:
        InvalidInput: it is not a JSON object.
    """
    text = bytes(body) if isinstance(body, memoryview) else body
    if text.count(b"[") + text.count(b"{") > _MAX_CONTAINERS:
        raise InvalidInput(
            f"Invalid JSON structure - more than {_MAX_CONTAINERS} lists; send tensors over gRPC "
            "or with KServe's binary extension"
        )
    try:
        parsed = parse_json(text)
    except ValueError as error:
        raise InvalidInput(f"Invalid JSON structure - {error}") from error
    if not isinstance(parsed, dict):
        raise InvalidInput("Invalid JSON structure - Expected: an object")
    return parsed


def array_from_json(values: Any, datatype: str, tensor: str) -> NDArray[Any]:
    """Make an array of nested lists; texts and `{"b64": ...}` become BYTES whatever is asked for.

    Raises:
        InvalidInput: the lists are ragged, or hold what does not fit the datatype.
    """
    dtype = get_datatype(datatype, tensor).dtype
    if dtype.kind == "O" or _holds_bytes(values):
        return _bytes_array(values, tensor)
    try:
        loose = np.array(values)
        if dtype.kind == "f" and loose.dtype.kind == "O" and _are_numbers(loose):
            loose = loose.astype(np.float64)  # JavaScript writes 1e20 as 100000000000000000000
        if dtype.kind in "iu" and loose.dtype.kind == "f" and _are_whole(values):
            return np.array(values, dtype=dtype)  # numpy joins those beyond 2**63 as floats
        if loose.size and loose.dtype.kind not in _KINDS[dtype.kind]:
            words = _WORDS[loose.dtype.kind]
            raise InvalidInput(_not_an_array(tensor, f"{datatype} cannot hold {words}"))
        if dtype.kind != "f":
            return np.array(values, dtype=dtype)  # anew: only that tells integers that do not fit
        with np.errstate(over="ignore"):
            return loose.astype(dtype)
    except (ValueError, TypeError, OverflowError) as error:
        is_ragged = "inhomogeneous" in str(error)
        details = "the lists differ in length" if is_ragged else str(error)
        raise InvalidInput(_not_an_array(tensor, details)) from error


def shaped(array: NDArray[Any], shape: Sequence[Any], tensor: str) -> NDArray[Any]:
    """Give an array the shape a request states.

    Raises:
        InvalidInput: the shape is none, or holds another number of values.
    """
    shape = checked_shape(shape, tensor)
    if math.prod(shape) != array.size:
        raise InvalidInput(
            "Invalid number of values in tensor proto container - "
            f"Expected: {math.prod(shape)} values; Actual: {array.size} values; "
            f"input name: {tensor}"
        )
    return array.reshape(shape)


def checked_shape(shape: Sequence[Any], tensor: str) -> Sequence[int]:
    """Return the shape when all of it are whole numbers of 0 and more.

    Raises:
        InvalidInput: it holds something else.
    """
    if not all(type(size) is int and size >= 0 for size in shape):
        raise InvalidInput(
            f"Invalid input shape - Expected: whole numbers of 0 and more; "
            f"Actual: {list(shape)}; input name: {tensor}"
        )
    return shape


def array_to_json(array: NDArray[Any]) -> Any:
    """Make nested lists of an array; BYTES that are not UTF-8 become `{"b64": ...}`."""
    if array.dtype.kind == "f" and array.dtype.itemsize < _DOUBLE_BYTES:
        return _shortened(array).tolist()
    if array.dtype.kind not in "OSU":
        return array.tolist()
    if array.ndim > 1:
        return [array_to_json(part) for part in array]
    return [_text(value) for value in array] if array.ndim else _text(array.item())


def bytes_to_json(array: NDArray[Any]) -> Any:
    """Make nested lists of BYTES, each as `{"b64": ...}`."""
    if array.ndim > 1:
        return [bytes_to_json(part) for part in array]
    return [_encoded(value) for value in array] if array.ndim else _encoded(array.item())


def _shortened(array: NDArray[Any]) -> NDArray[np.float64]:
    """Return the values with the fewest of 6 or 9 digits that read back as the same number."""
    exact = array.astype(np.float64)
    told = exact
    with np.errstate(all="ignore"):
        exponent = np.floor(np.log10(np.abs(exact)))
        for digits in (9, 6):
            scale = 10.0 ** (digits - 1 - exponent)
            rounded = np.round(exact * scale) / scale
            is_same = (rounded.astype(array.dtype) == array) & (scale >= 1)
            told = np.where(is_same, rounded, told)
    return told


def _text(value: Any) -> Any:
    raw = value if isinstance(value, bytes) else str(value).encode()
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return _encoded(raw)


def _encoded(raw: bytes) -> dict[str, str]:
    return {_B64: base64.b64encode(raw).decode()}


def _are_numbers(values: NDArray[Any]) -> bool:
    return all(type(value) in (int, float) for value in values.flat)


def _are_whole(values: Any) -> bool:
    return all(type(value) is int for value in np.array(values, object).flat)


def _holds_bytes(values: Any) -> bool:
    while isinstance(values, list) and values:
        values = values[0]
    return isinstance(values, str | dict)


def _bytes_array(values: Any, tensor: str) -> NDArray[Any]:
    shape = tuple(itertools.islice(_nesting(values), _MAX_RANK + 1))
    if len(shape) > _MAX_RANK:
        raise InvalidInput(_not_an_array(tensor, f"more than {_MAX_RANK} lists in each other"))
    try:
        flat = [_as_bytes(value) for value in _leaves(values, shape)]
    except ValueError as error:
        raise InvalidInput(_not_an_array(tensor, str(error))) from error
    array = np.empty(len(flat), dtype=object)
    array[:] = flat
    return array.reshape(shape)


def _nesting(values: Any) -> Iterator[int]:
    while isinstance(values, list):
        yield len(values)
        values = values[0] if values else None


def _leaves(values: Any, shape: Sequence[int]) -> Iterator[Any]:
    if not shape:
        yield values
        return
    if not isinstance(values, list) or len(values) != shape[0]:
        raise ValueError("the lists differ in length")
    for value in values:
        yield from _leaves(value, shape[1:])


def _as_bytes(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode()
    encoded = value.get(_B64) if isinstance(value, dict) else None
    if not isinstance(encoded, str):
        raise ValueError(f"text or b64 expected, not {type(value).__name__}")  # noqa: TRY004 - as all
    try:
        return base64.b64decode(encoded, validate=True)
    except binascii.Error as error:
        raise ValueError(f"b64: {error}") from error


def _not_an_array(tensor: str, details: str) -> str:
    return (
        "Could not parse input content. Not valid ndarray detected - "
        f"{details}; input name: {tensor}"
    )
