"""Tries an open batch before anybody is served: many graphs have their own batch baked in.

OpenVINO opens the inputs of such a graph all the same. The first request of another size then fails
deep inside, and the compiled model answers nobody any more. What its shapes show is refused by its
outline before it is inferred, here as in every request.
"""

import logging
import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from camfleet_contracts.datatypes import get_datatype
from camfleet_contracts.serving_config import ModelConfig
from camfleet_server.runtimes.base import LoadError, ModelSource, Servable
from camfleet_server.runtimes.openvino.batch import HINT
from camfleet_server.runtimes.openvino.compile import first_lines
from camfleet_server.types import Tensors, TensorSpec

logger = logging.getLogger(__name__)

OwnShapes = Sequence[Sequence[int]]
"""The inputs of the file, before config.json changed them; -1 where it leaves a size open."""

_TRIED_ROWS = (1, 2)
_BATCHED_RANK = 2  # a batch, and what it is of
_WIDEST_BYTES = 8
_TRIED_BYTES = 16_000_000  # the upper end of a range is tried as far as inputs of this size go


class BatchBakedIn(LoadError):
    """The inputs take any batch and the graph behind them does not; the text is its own words."""


def try_batches(servable: Servable, own: OwnShapes) -> None:
    """Infer zeros of two batches where the batch is open; the model may be of no use afterwards.

    Raises:
        BatchBakedIn: one of them failed.
    """
    filled = _filled(servable.inputs, own)
    if filled is None:
        return
    wanted = tuple(spec.name for spec in servable.outputs)
    for rows in _rows_to_try(servable.inputs, filled):
        try:
            servable.infer(_zeros(servable.inputs, filled, rows), wanted)
        # A vendor's library may raise anything; what it says becomes the reason.
        except Exception as error:
            raise BatchBakedIn(f"batch {rows}: {first_lines(error)}") from error


def with_own_batch(source: ModelSource, baked: BatchBakedIn) -> ModelSource:
    """Return what to load instead, where any batch was only allowed and not asked for.

    `auto` means that sizes follow the requests: there is only one that can, so larger batches are
    refused before they are inferred. The same holds for files that leave their own batch open.

    Raises:
        LoadError: more than one batch was asked for.
    """
    config = source.config
    if source.manifest.batching:
        raise LoadError(f"batching: the graph has its own batch baked in ({baked}); {HINT}")
    changes = _without_auto(config)
    if changes is None:
        what = "shape" if config.shape else "batch_size"
        raise LoadError(
            f"{what} {getattr(config, what)!r} in config.json: the graph has its own batch baked "
            f"in ({baked}); remove `{what}`, or export the model with an open batch"
        ) from baked
    logger.warning(
        "only the model's own batch is served model=%s version=%s reason=%s next=%s",
        source.name,
        source.version,
        baked,
        "export it with an open batch if requests should bring more",
    )
    return replace(source, config=config.model_copy(update=changes))


def _without_auto(config: ModelConfig) -> dict[str, object] | None:
    if config.shape:
        shapes = config.shape.values() if isinstance(config.shape, dict) else [config.shape]
        return {"shape": None, "batch_size": None} if set(map(str, shapes)) == {"auto"} else None
    if config.batch_size in {None, 0, "0"}:
        return {"batch_size": 1}  # the file's own batch is open
    return {"batch_size": None} if config.batch_size == "auto" else None


def _filled(specs: Sequence[TensorSpec], own: OwnShapes) -> list[tuple[int, ...]] | None:
    """Return the sizes behind each batch; None: a batch is not open, or nobody knows a size."""
    filled: list[tuple[int, ...]] = []
    for spec, known in zip(specs, own, strict=True):
        is_batched = spec.shape[:1] == (-1,) and len(spec.shape) >= _BATCHED_RANK
        if not is_batched or spec.datatype == "BYTES" or len(known) != len(spec.shape):
            return None
        ranges = {axis: low for axis, (low, _) in spec.ranges.items()}
        sizes = [
            ranges.get(i, k) if s == -1 else s
            for i, (s, k) in enumerate(zip(spec.shape, known, strict=True))
        ]
        if -1 in sizes[1:]:
            return None
        filled.append(tuple(sizes[1:]))
    return filled


def _rows_to_try(specs: Sequence[TensorSpec], filled: Sequence[tuple[int, ...]]) -> Sequence[int]:
    ranges = [spec.ranges[0] for spec in specs if 0 in spec.ranges]
    if not ranges:
        return _TRIED_ROWS
    low = max(1, *(low for low, _ in ranges))
    high = min(high for _, high in ranges)
    row_bytes = sum(math.prod(sizes) for sizes in filled) * _WIDEST_BYTES
    return low, min(high, max(low + 1, _TRIED_BYTES // max(1, row_bytes)))


def _zeros(specs: Sequence[TensorSpec], filled: Sequence[tuple[int, ...]], rows: int) -> Tensors:
    return {
        spec.name: np.zeros((rows, *sizes), get_datatype(spec.datatype, spec.name).dtype)
        for spec, sizes in zip(specs, filled, strict=True)
    }
