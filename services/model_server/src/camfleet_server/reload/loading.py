"""Loads a version with the first runtime that can, and warms it up; used by server and probe."""

import logging
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from camfleet_contracts.datatypes import get_datatype
from camfleet_contracts.model_files import NoModelFiles, find_model_files
from camfleet_server.reload.checks import check_declared, check_pulled, check_room
from camfleet_server.runtimes.base import LoadError, ModelSource, Servable
from camfleet_server.runtimes.table import Runtimes
from camfleet_server.types import Tensors, TensorSpec

logger = logging.getLogger(__name__)


def load_servable(source: ModelSource, runtimes: Runtimes) -> Servable:
    """Load with the runtimes the manifest prefers, in its order.

    Raises:
        LoadError: none could; says why for each.
    """
    check_room(source)
    check_pulled(source)
    errors: list[LoadError] = []
    for wish in source.manifest.runtimes or _usual_runtimes(source):
        name, _, device = wish.partition(":")
        try:
            servable = runtimes.get(name.strip().lower()).load(
                replace(source, wished_device=device)
            )
        except LoadError as error:
            errors.append(error)
            continue
        if errors:
            _log_fall_back(source, name, errors)
        _check(source, servable)
        return servable
    raise LoadError("; ".join(map(str, errors)))


def _check(source: ModelSource, servable: Servable) -> None:
    try:
        check_declared(source, servable)
    except LoadError:
        servable.close()
        raise


def _usual_runtimes(source: ModelSource) -> tuple[str, ...]:
    """The runtimes that read the format of a version, in the order of FRAMEWORKS."""
    try:
        return find_model_files(source.folder, source.manifest).framework.runtimes
    except NoModelFiles as error:
        raise LoadError(str(error)) from error


def warm_up(servable: Servable, runs: int) -> None:
    """Infer zeros so that the first request finds everything allocated.

    Models with open dimensions other than the batch are left cold: nobody knows a fitting size.

    Raises:
        LoadError: the model loads and cannot infer.
    """
    inputs = example_inputs(servable.inputs)
    if inputs is None:
        return
    names = tuple(spec.name for spec in servable.outputs)
    for _ in range(runs):
        try:
            servable.infer(inputs, names)
        # A vendor's library may raise anything; the reason goes to the user.
        except Exception as error:
            raise LoadError(f"a first inference on zeros failed: {error}") from error


def example_inputs(specs: Iterable[TensorSpec]) -> Tensors | None:
    """Return zeros that the inputs accept; None where nobody knows a fitting size."""
    inputs: Tensors = {}
    for spec in specs:
        if spec.datatype == "BYTES" or -1 in spec.shape[1:]:
            return None
        batch = spec.ranges.get(0, (1, 1))[0]
        shape = tuple(max(1, batch) if size == -1 else size for size in spec.shape)
        inputs[spec.name] = np.zeros(shape, get_datatype(spec.datatype, spec.name).dtype)
    return inputs


def _log_fall_back(source: ModelSource, name: str, errors: list[LoadError]) -> None:
    logger.warning(
        "falls back to another runtime model=%s version=%s runtime=%s reason=%s",
        source.name,
        source.version,
        name,
        "; ".join(map(str, errors)),
    )
