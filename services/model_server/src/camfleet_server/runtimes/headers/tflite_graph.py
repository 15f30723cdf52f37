"""Inputs and outputs of a TFLite file, read from its header (schema.fbs; FlatBuffers is public)."""

import struct

from camfleet_server.types import TensorSpec

_IDENTIFIER = b"TFL3"
_SUBGRAPHS = 2  # of Model
_TENSORS, _INPUTS, _OUTPUTS = 0, 1, 2  # of SubGraph
_SHAPE, _TYPE, _NAME, _SIGNATURE = 0, 1, 3, 7  # of Tensor
_DATATYPES = {
    0: "FP32",
    1: "FP16",
    2: "INT32",
    3: "UINT8",
    4: "INT64",
    5: "BYTES",
    6: "BOOL",
    7: "INT16",
    9: "INT8",
    10: "FP64",
    12: "UINT64",
    15: "UINT32",
    16: "UINT16",
}


class BadTflite(ValueError):
    """These bytes are no TFLite file."""


def read_tflite(content: bytes) -> tuple[tuple[TensorSpec, ...], tuple[TensorSpec, ...]]:
    """Return inputs and outputs in the order of the file.

    Raises:
        BadTflite: it is not a TFLite file, or it is cut off.
    """
    if content[4:8] != _IDENTIFIER:
        raise BadTflite("it is not a TFLite file (TFL3 is not at byte 4)")
    try:
        return _read(content)
    except (struct.error, IndexError) as error:
        raise BadTflite(f"it is cut off or damaged: {error}") from error


def _read(content: bytes) -> tuple[tuple[TensorSpec, ...], tuple[TensorSpec, ...]]:
    model = _Table(content, _unsigned(content, 0))
    graph = model.tables(_SUBGRAPHS)[0]
    tensors = graph.tables(_TENSORS)
    inputs, outputs = (
        tuple(_spec(tensors[number]) for number in graph.numbers(field))
        for field in (_INPUTS, _OUTPUTS)
    )
    return inputs, outputs


def _spec(tensor: "_Table") -> TensorSpec:
    shape = tensor.numbers(_SIGNATURE) or tensor.numbers(_SHAPE)
    datatype = _DATATYPES.get(tensor.byte(_TYPE), "unknown")
    return TensorSpec(tensor.text(_NAME), datatype, shape)


class _Table:
    """A table of a FlatBuffer: its fields are found through its vtable."""

    def __init__(self, content: bytes, place: int) -> None:
        self._content, self._place = content, place
        self._vtable = place - struct.unpack_from("<i", content, place)[0]

    def tables(self, field: int) -> "list[_Table]":
        places = self._elements(field)
        return [_Table(self._content, p + _unsigned(self._content, p)) for p in places]

    def numbers(self, field: int) -> tuple[int, ...]:
        places = self._elements(field)
        return tuple(struct.unpack_from("<i", self._content, place)[0] for place in places)

    def byte(self, field: int) -> int:
        place = self._field(field)
        return self._content[place] if place else 0

    def text(self, field: int) -> str:
        start, count = self._vector(field)
        return self._content[start : start + count].decode(errors="replace")

    def _elements(self, field: int) -> range:
        start, count = self._vector(field)
        if start + 4 * count > len(self._content):
            raise IndexError("a list reaches beyond the file")
        return range(start, start + 4 * count, 4)

    def _vector(self, field: int) -> tuple[int, int]:
        place = self._field(field)
        if not place:
            return 0, 0
        start = place + _unsigned(self._content, place)
        return start + 4, _unsigned(self._content, start)

    def _field(self, number: int) -> int:
        offset = 4 + 2 * number
        size = struct.unpack_from("<H", self._content, self._vtable)[0]
        if offset + 2 > size:
            return 0
        found: int = struct.unpack_from("<H", self._content, self._vtable + offset)[0]
        return self._place + found if found else 0


def _unsigned(content: bytes, place: int) -> int:
    number: int = struct.unpack_from("<I", content, place)[0]
    return number
