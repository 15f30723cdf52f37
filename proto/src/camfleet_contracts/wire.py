"""Inference requests read without a copy: tensors as views of the message, the rest by protobuf.

The scans know the top-level fields of the two request messages and nothing else. Whatever is not
written the usual way (unknown fields, merged map entries, long tags) goes through protobuf whole,
so protobuf alone says what is valid. What is left of a message without its tensors and its id is
short and the same for every request of a client: callers keep what they make of it (`Remembered`).
"""

import threading
from collections.abc import Callable, Hashable
from typing import Generic, NamedTuple, NoReturn, TypeAlias, TypeVar

from google.protobuf.message import DecodeError

from camfleet_contracts.datatypes import InvalidTensor
from camfleet_contracts.protocols import inference_pb2, serving_pb2, tensorflow_pb2

Data: TypeAlias = bytes | memoryview
"""A message; a view must be one of bytes, and nobody may write to it any more."""

LARGEST_REMEMBERED = 4096  # bytes of a head; a longer one carries values and will not come again

_BITS = 7
_MORE = 0x80
_LENGTH_BYTES = 5  # of a length below 4 GiB

_SPEC, _INPUT, _FILTER = 0x0A, 0x12, 0x1A  # PredictRequest
_KEY, _VALUE = 0x0A, 0x12  # an entry of its map
_DTYPE, _SHAPE, _VERSION, _CONTENT = 0x08, 0x12, 0x18, 0x22  # TensorProto
_ID, _RAW = 0x1A, 0x3A  # ModelInferRequest
_INFER_TAGS = frozenset({0x0A, 0x12, _ID, 0x22, 0x2A, 0x32, _RAW})

_Key = TypeVar("_Key", bound=Hashable)
_Value = TypeVar("_Value")


class MalformedMessage(InvalidTensor):
    """The bytes are not the message they should be."""


class InferScan(NamedTuple):
    """A ModelInferRequest in parts."""

    head: bytes  # the message without what follows
    request_id: bytes
    raws: list[memoryview]  # raw_input_contents


class PredictScan(NamedTuple):
    """A PredictRequest in parts."""

    head: tuple[bytes, ...]  # the message without inputs, then name and tensor of each input
    contents: list[memoryview | None]  # tensor_content of each input, where it has any


class Remembered(Generic[_Key, _Value]):
    """What `make` made of the last keys, oldest forgotten first; safe from any thread."""

    def __init__(self, make: Callable[[_Key], _Value], limit: int = 512) -> None:
        self._make = make
        self._limit = limit
        self._values: dict[_Key, _Value] = {}
        self._lock = threading.Lock()

    def __call__(self, key: _Key) -> _Value:
        """Return what was made of the key, now or earlier; it is shared and must not be changed."""
        value = self._values.get(key)
        if value is None:
            value = self._make(key)
            with self._lock:
                while len(self._values) >= self._limit:
                    del self._values[next(iter(self._values))]
                self._values[key] = value
        return value


def scan_infer_request(data: Data) -> InferScan:
    """Take the raw contents and the id out of a ModelInferRequest.

    Raises:
        MalformedMessage: protobuf refuses the bytes.
    """
    view = memoryview(data)
    end = len(data)
    at = kept = 0
    request_id = b""
    pieces: list[Data] = []
    raws: list[memoryview] = []
    try:
        while at < end:
            tag = data[at]
            if tag not in _INFER_TAGS or (tag == _ID and request_id):
                return _parsed_infer(data)
            length = data[at + 1]
            begin = at + 2
            if length >= _MORE:
                length, begin = _long_length(data, begin - 1)
            after = begin + length
            if tag in (_RAW, _ID):
                pieces.append(data[kept:at])
                kept = after
                if tag == _RAW:
                    raws.append(view[begin:after])
                else:
                    request_id = bytes(data[begin:after])
            at = after
    except IndexError:
        return _parsed_infer(data)
    if at != end or not _is_text(request_id):
        return _parsed_infer(data)
    pieces.append(data[kept:])
    return InferScan(b"".join(pieces), request_id, raws)


def parse_infer_head(head: Data) -> inference_pb2.ModelInferRequest:
    """Parse what `scan_infer_request` left.

    Raises:
        MalformedMessage: protobuf refuses the bytes.
    """
    try:
        return inference_pb2.ModelInferRequest.FromString(head)  # type: ignore[arg-type] # views too
    except DecodeError as error:
        _refuse("ModelInferRequest", error)


def scan_predict_request(data: Data) -> PredictScan:
    """Take the contents of the tensors out of a PredictRequest.

    Raises:
        MalformedMessage: protobuf refuses the bytes.
    """
    end = len(data)
    at = 0
    rest: list[Data] = []
    parts: list[bytes] = []
    contents: list[memoryview | None] = []
    try:
        while at < end:
            tag = data[at]
            begin, after = _span(data, at)
            if tag == _INPUT:
                name, head, content = _scan_input(data, begin, after)
                parts += (name, head)
                contents.append(content)
            elif tag in (_SPEC, _FILTER):
                rest.append(data[at:after])
            else:
                return _parsed_predict(data)
            at = after
    except (IndexError, _Unusual):
        return _parsed_predict(data)
    names = parts[::2]
    if at != end or len(set(names)) < len(names) or not _is_text(b"".join(names)):
        return _parsed_predict(data)
    return PredictScan((b"".join(rest), *parts), contents)


def parse_predict_head(
    head: tuple[bytes, ...],
) -> tuple[serving_pb2.PredictRequest, dict[str, tensorflow_pb2.TensorProto]]:
    """Parse what `scan_predict_request` left: the message without inputs, and the inputs by name.

    Raises:
        MalformedMessage: protobuf refuses the bytes.
    """
    try:
        message = serving_pb2.PredictRequest.FromString(head[0])
        names = (name.decode() for name in head[1::2])
        tensors = map(tensorflow_pb2.TensorProto.FromString, head[2::2])
        return message, dict(zip(names, tensors, strict=True))
    except (DecodeError, UnicodeDecodeError) as error:
        _refuse("PredictRequest", error)


class _Unusual(Exception):
    """Valid or not, this is for protobuf."""


def _scan_input(data: Data, at: int, end: int) -> tuple[bytes, bytes, memoryview | None]:
    if data[at] != _KEY:
        raise _Unusual
    begin, after = _span(data, at)
    name = bytes(data[begin:after])
    if data[after] != _VALUE:
        raise _Unusual
    begin, after = _span(data, after)
    if after != end:
        raise _Unusual
    return name, *_scan_tensor(data, begin, end)


def _scan_tensor(data: Data, start: int, end: int) -> tuple[bytes, memoryview | None]:
    """Split a TensorProto into its head and its content; any other form is head as a whole."""
    head = b""
    content = None
    at = start
    while at < end:
        tag = data[at]
        if tag in (_DTYPE, _VERSION) and data[at + 1] < _MORE:
            after = at + 2
        elif tag in (_SHAPE, _CONTENT):
            begin, after = _span(data, at)
        else:
            return bytes(data[start:end]), None
        if tag != _CONTENT:
            head += bytes(data[at:after])
        elif content is None and after > begin:
            content = memoryview(data)[begin:after]
        else:
            return bytes(data[start:end]), None
        at = after
    if at != end:
        return bytes(data[start:end]), None
    return head, content


def _span(data: Data, at: int) -> tuple[int, int]:
    """Tell where the field at `at` begins behind its length, and where it ends."""
    length = data[at + 1]
    begin = at + 2
    if length >= _MORE:
        length, begin = _long_length(data, at + 1)
    return begin, begin + length


def _long_length(data: Data, at: int) -> tuple[int, int]:
    length = 0
    for position in range(_LENGTH_BYTES):
        byte = data[at + position]
        length |= (byte & ~_MORE) << (_BITS * position)
        if byte < _MORE:
            return length, at + position + 1
    raise IndexError


def _is_text(raw: bytes) -> bool:
    if raw.isascii():
        return True
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _parsed_infer(data: Data) -> InferScan:
    message = parse_infer_head(data)
    raws = [memoryview(raw) for raw in message.raw_input_contents]
    request_id = message.id.encode()
    message.ClearField("raw_input_contents")
    message.ClearField("id")
    return InferScan(message.SerializeToString(), request_id, raws)


def _parsed_predict(data: Data) -> PredictScan:
    try:
        message = serving_pb2.PredictRequest.FromString(data)  # type: ignore[arg-type] # as above
    except DecodeError as error:
        _refuse("PredictRequest", error)
    parts: list[bytes] = []
    contents: list[memoryview | None] = []
    for name, tensor in message.inputs.items():
        contents.append(memoryview(tensor.tensor_content) if tensor.tensor_content else None)
        tensor.ClearField("tensor_content")
        parts += (name.encode(), tensor.SerializeToString())
    message.ClearField("inputs")
    return PredictScan((message.SerializeToString(), *parts), contents)


def _refuse(message: str, error: Exception) -> NoReturn:
    raise MalformedMessage(
        f"Invalid request - Expected: a {message} as protobuf writes it; "
        f"Actual: bytes that it cannot read ({error})"
    ) from error
