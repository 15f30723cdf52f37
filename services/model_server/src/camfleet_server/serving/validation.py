"""Does a request fit the model? Pure checks against the file's own names, types and shapes."""

from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from camfleet_contracts.datatypes import datatype_of
from camfleet_server.input_errors import (
    MissingInput,
    UnknownOutput,
    WrongBatch,
    WrongDatatype,
    WrongInputCount,
    WrongRank,
    WrongShape,
)
from camfleet_server.types import Tensors, TensorSpec


def fit_inputs(given: Tensors, specs: Sequence[TensorSpec], aliases: Mapping[str, str]) -> Tensors:
    """Return the inputs under the model's own names; aliases of a port are accepted.

    Raises:
        WrongInputCount, MissingInput, WrongDatatype, WrongRank, WrongBatch, WrongShape.
    """
    if len(given) != len(specs):
        raise WrongInputCount([spec.name for spec in specs], given)
    named = {aliases.get(name, name): array for name, array in given.items()}
    for spec in specs:
        if spec.name not in named:
            raise MissingInput(spec.name, given)
        _check(named[spec.name], spec)
    return named


def rows_of(inputs: Tensors, specs: Sequence[TensorSpec]) -> int:
    """Tell how many inferences a request asks for: more than one where the batch is open."""
    first = next(iter(specs), None)
    is_batched = first is not None and len(first.shape) > 1 and first.shape[0] == -1
    return int(inputs[first.name].shape[0]) if first and is_batched else 1


def wanted_outputs(
    asked: Sequence[str], specs: Sequence[TensorSpec], aliases: Mapping[str, str]
) -> dict[str, str]:
    """Map the names asked for (none: all outputs) to the model's own.

    Raises:
        UnknownOutput: names the output and those there are.
    """
    names = tuple(spec.name for spec in specs)
    wanted = {name: aliases.get(name, name) for name in asked or names}
    for name, own_name in wanted.items():
        if own_name not in names:
            raise UnknownOutput(name, names)
    return wanted


def _check(array: NDArray[Any], spec: TensorSpec) -> None:
    datatype = datatype_of(array)
    if datatype != spec.datatype:
        raise WrongDatatype(spec.name, spec.datatype, datatype)
    if array.ndim != len(spec.shape):
        raise WrongRank(spec.name, spec.shape, array.shape)
    differing = [
        axis
        for axis, (expected, actual) in enumerate(zip(spec.shape, array.shape, strict=True))
        if expected not in (-1, actual)
    ]
    for axis, (low, high) in spec.ranges.items():
        if not low <= array.shape[axis] <= high:
            differing.append(axis)
    if differing == [0] and array.ndim > 1:
        raise WrongBatch(spec.name, _told(spec)[0], array.shape[0])
    if differing:
        raise WrongShape(spec.name, _told(spec), array.shape)


def _told(spec: TensorSpec) -> list[int | str]:
    """Return the shape with its ranges as config.json writes them."""
    told: list[int | str] = list(spec.shape)
    for axis, (low, high) in spec.ranges.items():
        told[axis] = f"{low}:{high}"
    return told
