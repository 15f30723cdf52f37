"""Several pictures in one request: what a batch needs of a model, and its answers taken apart."""

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from camfleet.inference.errors import OutputsOfABatch
from camfleet.inference.served_model import ServedModel

Outputs = Mapping[str, NDArray[Any]]


def takes_batch(model: ServedModel, count: int) -> bool:
    """True when the model infers so many pictures in one request."""
    return bool(model.input.shape) and model.input.shape[0] in {-1, count}


def split_batch(outputs: Outputs, count: int, model: str) -> list[Outputs]:
    """The outputs of each picture, as a request of its own would have had them.

    Raises:
        OutputsOfABatch: an output does not have one row a picture.
    """
    if count == 1:
        return [outputs]
    for name, tensor in outputs.items():
        if tensor.shape[:1] != (count,):
            raise OutputsOfABatch(model, name, tensor.shape, count)
    return [{n: t[row : row + 1] for n, t in outputs.items()} for row in range(count)]
