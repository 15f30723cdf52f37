"""Several requests as one: what makes them compatible, put together and taken apart again."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from camfleet_server.runtimes.base import Servable
from camfleet_server.types import Tensors

BatchKey: TypeAlias = tuple[object, ...]


@dataclass(slots=True, eq=False)
class Offer:
    """A request that may be inferred with others; whoever infers it fills in how that ended."""

    servable: Servable
    inputs: Tensors
    wanted: tuple[str, ...]
    rows: int
    key: BatchKey  # equal for those that fit together
    outputs: Tensors = field(default_factory=dict)
    error: Exception | None = None
    began_at: float = 0.0
    ended_at: float = 0.0
    executed_rows: int | None = None  # as in Inferred
    deadline: float | None = None  # of its request


class UnevenOutput(Exception):
    """An output does not have one row for each row of the inputs, so it cannot be taken apart."""


def make_offer(
    servable: Servable, inputs: Tensors, wanted: tuple[str, ...], max_rows: int
) -> Offer | None:
    """Return the offer, or None for a request that fills a batch alone or has no common batch."""
    rows = {array.shape[0] if array.ndim else -1 for array in inputs.values()}
    count = rows.pop() if len(rows) == 1 else -1
    if not 0 < count < max_rows:
        return None
    dims = tuple((name, inputs[name].shape[1:]) for name in sorted(inputs))
    return Offer(servable, inputs, wanted, count, (id(servable), dims, wanted))


def join_inputs(offers: Sequence[Offer]) -> Tensors:
    """Put the inputs of compatible offers one behind the other."""
    return {
        name: np.concatenate([offer.inputs[name] for offer in offers]) for name in offers[0].inputs
    }


def split_outputs(outputs: Tensors, offers: Sequence[Offer]) -> list[Tensors]:
    """Give every offer its rows.

    Raises:
        UnevenOutput: an output has another number of rows than the inputs.
    """
    ends = np.cumsum([offer.rows for offer in offers])
    for name, array in outputs.items():
        if not array.ndim or array.shape[0] != ends[-1]:
            raise UnevenOutput(f"output {name!r} has shape {array.shape} for {ends[-1]} rows")
    parts = {name: np.split(array, ends[:-1]) for name, array in outputs.items()}
    return [{name: parts[name][i] for name in outputs} for i in range(len(offers))]
