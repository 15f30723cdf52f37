"""What parameters say about single tensors, on gRPC and REST alike: shared memory and classes."""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from camfleet_contracts.tensors import datatype_of, decode_raw, encode_raw
from camfleet_server.errors import InvalidInput
from camfleet_server.serving.shared_memory import Place, SharedMemory
from camfleet_server.transports.kserve_terms import CLASSIFICATION, REGION, number_from
from camfleet_server.types import InferResult

SIZE, OFFSET = "shared_memory_byte_size", "shared_memory_offset"


class TensorPlaces:
    """Reads inputs from where a client put them and puts outputs where it wants them."""

    def __init__(self, memory: SharedMemory) -> None:
        self._memory = memory

    def read(
        self, parameters: Mapping[str, Any], datatype: str, shape: Sequence[int], name: str
    ) -> NDArray[Any]:
        """Return an input that lies in a shared-memory region.

        Raises:
            ServerError, InvalidTensor: name the region or input and what is wrong.
        """
        content = self._memory.read(_place(parameters, f"input name: {name}"))
        return decode_raw(content, datatype, shape, name)

    def classified(
        self, parameters: Mapping[str, Any], result: InferResult, name: str
    ) -> NDArray[Any]:
        """Return an output, as its best classes where that is asked for.

        Raises:
            InvalidInput: it has no classes, or their number is none.
        """
        array = result.outputs[name]
        if CLASSIFICATION not in parameters:
            return array
        count = number_from(parameters, CLASSIFICATION)
        if count < 1:
            raise InvalidInput(
                f"parameter '{CLASSIFICATION}' - Expected: a number above 0; Actual: {count}; "
                f"output name: {name}"
            )
        if array.dtype.kind not in "biuf" or not array.size:
            raise InvalidInput(
                f"parameter '{CLASSIFICATION}' - Expected: an output of numbers; "
                f"Actual: {datatype_of(array, name)} {list(array.shape)}; output name: {name}"
            )
        return best_classes(array, count, _labels_in(result.manifest.text))

    def put(self, parameters: Mapping[str, Any], array: NDArray[Any], name: str) -> dict[str, Any]:
        """Put an output into its shared-memory region and tell where in the answer's words.

        Raises:
            ServerError: names the region and what is wrong.
        """
        place = _place(parameters, f"output name: {name}")
        content = encode_raw(array) if array.dtype.kind in "OSU" else array
        size = self._memory.write(place, content, name)
        return {REGION: place.region, OFFSET: place.offset, SIZE: size}


def best_classes(array: NDArray[Any], count: int, labels: Sequence[str]) -> NDArray[Any]:
    """Return the highest values as `value:index[:label]`, a row for each of the batch.

    What is no number is below all that are.
    """
    rows = array.reshape(array.shape[0] if array.ndim > 1 else 1, -1)
    ranks = np.where(np.isnan(rows), -np.inf, rows) if rows.dtype.kind == "f" else rows
    backwards = ranks[:, ::-1].argsort(axis=1, kind="stable")  # of equal values the first wins
    indices = rows.shape[1] - 1 - backwards[:, ::-1][:, :count]
    texts = np.empty(indices.shape, object)
    for at in np.ndindex(*indices.shape):
        texts[at] = _class_text(rows[at[0], indices[at]], int(indices[at]), labels)
    return texts if array.ndim > 1 else texts[0]


def _class_text(value: Any, index: int, labels: Sequence[str]) -> bytes:
    number = f"{value:f}" if isinstance(value, np.floating) else str(int(value))
    label = f":{labels[index]}" if index < len(labels) else ""
    return f"{number}:{index}{label}".encode()


def _place(parameters: Mapping[str, Any], where: str) -> Place:
    region = parameters.get(REGION)
    if not isinstance(region, str) or not region:
        raise InvalidInput(f"parameter '{REGION}' - Expected: a name; Actual: {region!r}; {where}")
    if SIZE not in parameters:
        raise InvalidInput(f"parameter '{REGION}' needs '{SIZE}' beside it; {where}")
    size, offset = (number_from(parameters, name) for name in (SIZE, OFFSET))
    if size < 0 or offset < 0:
        raise InvalidInput(
            f"parameters '{SIZE}' and '{OFFSET}' - Expected: 0 and more; "
            f"Actual: {size} and {offset}; {where}"
        )
    return Place(region, offset, size)


@lru_cache(maxsize=32)
def _labels_in(manifest: str) -> tuple[str, ...]:
    return tuple(json.loads(manifest).get("labels", ()))
