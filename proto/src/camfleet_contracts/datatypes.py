"""The element types of tensors under their names in numpy, TensorFlow Serving and KServe.

The numbers are those of the protos, written out so that nobody loads messages for a name.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


class InvalidTensor(ValueError):
    """A tensor that cannot be read; the text says which input, what was expected, what came."""


@dataclass(frozen=True, slots=True)
class Datatype:
    """One element type under its names on both wires."""

    name: str  # KServe's, and ours everywhere
    dtype: np.dtype[Any]
    tensorflow: int
    triton: int  # in ModelConfig
    tensorflow_field: str  # typed values in a TensorProto
    kserve_field: str  # typed values in InferTensorContents, "" where there are none


def _row(name: str, dtype: str, tensorflow: int, triton: int, fields: str) -> Datatype:
    tensorflow_field, _, kserve_field = fields.partition(" ")
    return Datatype(
        name=name,
        dtype=np.dtype(dtype),
        tensorflow=tensorflow,
        triton=triton,
        tensorflow_field=tensorflow_field,
        kserve_field=kserve_field,
    )


BYTES = _row("BYTES", "O", 7, 13, "string_val bytes_contents")
DATATYPES = (
    _row("FP32", "f4", 1, 11, "float_val fp32_contents"),
    _row("UINT8", "u1", 4, 2, "int_val uint_contents"),
    _row("FP16", "f2", 19, 10, "half_val"),
    _row("FP64", "f8", 2, 12, "double_val fp64_contents"),
    _row("INT8", "i1", 6, 6, "int_val int_contents"),
    _row("INT16", "i2", 5, 7, "int_val int_contents"),
    _row("INT32", "i4", 3, 8, "int_val int_contents"),
    _row("INT64", "i8", 9, 9, "int64_val int64_contents"),
    _row("UINT16", "u2", 17, 3, "int_val uint_contents"),
    _row("UINT32", "u4", 22, 4, "uint32_val uint_contents"),
    _row("UINT64", "u8", 23, 5, "uint64_val uint64_contents"),
    _row("BOOL", "?", 10, 1, "bool_val bool_contents"),
    BYTES,
)
_BY_NAME = {datatype.name: datatype for datatype in DATATYPES}
_BY_TENSORFLOW = {datatype.tensorflow: datatype for datatype in DATATYPES}
_BY_DTYPE = {datatype.dtype: datatype for datatype in DATATYPES}


def find_datatype(name: str) -> Datatype | None:
    """Look a datatype up by KServe's name; BF16 and the unknown give None."""
    return _BY_NAME.get(name)


def get_datatype(name: str, tensor: str) -> Datatype:
    """Look a datatype up by KServe's name for the tensor of that name.

    Raises:
        InvalidTensor: there is no such datatype, or camfleet does not take it (BF16).
    """
    datatype = _BY_NAME.get(name)
    if datatype is None:
        raise InvalidTensor(_unknown_datatype(name, tensor))
    return datatype


def datatype_of(array: NDArray[Any], tensor: str = "") -> str:
    """Tell KServe's name for the elements of an array; texts and bytes of any length are BYTES.

    Raises:
        InvalidTensor: no datatype has such elements.
    """
    datatype = _BY_DTYPE.get(array.dtype)
    if datatype is not None:
        return datatype.name
    if array.dtype.kind in "SU":
        return BYTES.name
    datatype = _BY_DTYPE.get(array.dtype.newbyteorder("="))
    if datatype is None:
        raise InvalidTensor(_unknown_datatype(str(array.dtype), tensor))
    return datatype.name


def get_tensorflow_datatype(number: int, tensor: str) -> Datatype:
    """Look a datatype up by TensorFlow's number for the tensor of that name.

    Raises:
        InvalidTensor: there is no such datatype, or camfleet does not take it (DT_BFLOAT16).
    """
    datatype = _BY_TENSORFLOW.get(number)
    if datatype is None:
        raise InvalidTensor(_unknown_datatype(_tensorflow_name(number), tensor))
    return datatype


def _tensorflow_name(number: int) -> str:
    from camfleet_contracts.protocols import tensorflow_pb2  # noqa: PLC0415 - loads protobuf

    value = tensorflow_pb2.DataType.DESCRIPTOR.values_by_number.get(number)
    return f"datatype {number}" if value is None else str(value.name)


def _unknown_datatype(actual: str, tensor: str) -> str:
    known = ", ".join(_BY_NAME)
    hint = "; send FP32 or FP16 instead" if "BF" in actual.upper() else ""
    return (
        f"Invalid input precision - Expected: one of {known}; "
        f"Actual: {actual or 'nothing'}{hint}; input name: {tensor}"
    )
