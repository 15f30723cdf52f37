"""`tf.make_tensor_proto` and `tf.make_ndarray`, with numpy alone."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from google.protobuf import descriptor_pool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from numpy.typing import DTypeLike, NDArray

from camfleet.errors import BadArgument
from camfleet_contracts.protocols import tensorflow_pb2
from camfleet_contracts.tensors import InvalidTensor, decode_tensor_proto, encode_tensor_proto

_NAME = "tensorflow.TensorProto"


def make_tensor_proto(
    values: Any, dtype: DTypeLike | None = None, shape: Sequence[int] | None = None
) -> Any:
    """A TensorProto of an array, a number, a text or nested lists of them.

    Numbers of Python become FP32 and INT32, as in TensorFlow; one value fills the shape. Where
    another library has brought TensorFlow's messages, it is one of those, so that their
    `CopyFrom` takes it.

    Raises:
        BadArgument: the values do not fit dtype and shape, or there is no such datatype.
    """
    try:
        proto = encode_tensor_proto(_shaped(_array_of(values, dtype), shape))
    except (InvalidTensor, ValueError, TypeError) as error:
        raise BadArgument(f"make_tensor_proto: {error}") from error
    own = _class_of_others()
    return proto if own is None else own.FromString(proto.SerializeToString())


def make_ndarray(tensor: Any) -> NDArray[Any]:
    """The array of a TensorProto, ours or TensorFlow's; texts are bytes in an array of objects.

    Raises:
        BadArgument: it is none, or its content does not fit datatype and shape.
    """
    if not isinstance(tensor, Message) or tensor.DESCRIPTOR.full_name != _NAME:
        raise BadArgument(f"make_ndarray: expected a TensorProto, got {type(tensor).__name__}")
    try:
        own = tensorflow_pb2.TensorProto.FromString(tensor.SerializeToString())
        return np.array(decode_tensor_proto(own, "tensor"))
    except InvalidTensor as error:
        raise BadArgument(f"make_ndarray: {error}") from error


def _array_of(values: Any, dtype: DTypeLike | None) -> NDArray[Any]:
    wanted = getattr(dtype, "as_numpy_dtype", dtype)  # of TensorFlow's own datatypes
    array = np.asarray(values) if wanted is None else np.asarray(values, wanted)
    if array.dtype == object and not all(isinstance(one, str | bytes) for one in array.flat):
        raise TypeError("expected numbers or texts")
    if wanted is None and not isinstance(values, np.ndarray | np.generic):
        smaller = {"f": np.float32, "i": np.int32}.get(array.dtype.kind)
        return array if smaller is None else array.astype(smaller)
    return array


def _shaped(array: NDArray[Any], shape: Sequence[int] | None) -> NDArray[Any]:
    if shape is None:
        return array
    return np.full(shape, array.reshape(())) if array.size == 1 else array.reshape(tuple(shape))


def _class_of_others() -> type[Message] | None:
    """TensorFlow's own message where a library of this process has it."""
    try:
        return GetMessageClass(descriptor_pool.Default().FindMessageTypeByName(_NAME))
    except KeyError:
        return None
