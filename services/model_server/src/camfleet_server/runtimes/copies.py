"""A servable of several copies of a model, for runtimes whose model serves one thread at a time."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from camfleet_server.runtimes.base import AlreadyClosed, LoadError, ModelSource
from camfleet_server.runtimes.ports import Ports
from camfleet_server.types import Tensors

Arrays = Sequence[NDArray[Any]]


class ModelCopy(Protocol):
    """One copy; inputs and outputs are in the order of the file."""

    def infer(self, inputs: Arrays, wanted: Sequence[int]) -> Arrays:
        """Return the outputs of these numbers, in memory of their own; inputs are contiguous."""
        ...

    def close(self) -> None:
        """Give the memory back."""
        ...


@dataclass(frozen=True, slots=True)
class Copies:
    """What a runtime has loaded: as many copies as requests may run at once."""

    platform: str
    device: str
    ports: Ports
    copies: Sequence[ModelCopy]
    keeps_nothing: bool = False  # of an inference that failed


class CopiesServable:
    """Infers with whichever copy is idle."""

    input_aliases: Mapping[str, str]
    output_aliases: Mapping[str, str]

    def __init__(self, loaded: Copies) -> None:
        ports = loaded.ports
        self.platform, self.device = loaded.platform, loaded.device
        self.inputs, self.outputs = ports.inputs, ports.outputs
        self.input_aliases, self.output_aliases = ports.input_aliases, ports.output_aliases
        self.slots = len(loaded.copies)
        self.keeps_nothing = loaded.keeps_nothing
        self._copies = tuple(loaded.copies)
        self._idle = deque(loaded.copies)
        self._names = tuple(spec.name for spec in ports.inputs)
        self._positions = {spec.name: i for i, spec in enumerate(ports.outputs)}

    def infer(
        self,
        inputs: Tensors,
        wanted: tuple[str, ...],
        *,
        in_crowd: bool = False,  # noqa: ARG002 - makes no difference here
    ) -> Tensors:
        """Infer in the calling thread with the copy whose turn it is."""
        arrays = [_contiguous(inputs[name]) for name in self._names]
        copy = self._take()
        try:
            answer = copy.infer(arrays, [self._positions[name] for name in wanted])
        finally:
            self._idle.append(copy)
        return dict(zip(wanted, answer, strict=True))

    def close(self) -> None:
        """Free every copy; nobody infers any more."""
        self._idle.clear()
        for copy in self._copies:
            copy.close()
        self._copies = ()

    def _take(self) -> ModelCopy:
        try:
            return self._idle.popleft()  # in turns, so that a warm-up reaches every one
        except IndexError:
            raise AlreadyClosed from None


def check_batch(source: ModelSource, ports: Ports, runtime: str) -> None:
    """Check that requests can be put together where `batching` of the manifest asks for it.

    Raises:
        LoadError: the batch of the model is fixed.
    """
    if source.manifest.batching is None:
        return
    for spec in (*ports.inputs, *ports.outputs):
        if spec.shape[:1] != (-1,):
            raise LoadError(
                f"batching: {runtime} cannot open the batch of tensor {spec.name!r} of shape "
                f"{list(spec.shape)}; export the model with an open one, or take `batching` out "
                "of model.json"
            )


def _contiguous(array: NDArray[Any]) -> NDArray[Any]:
    is_usable = array.flags.c_contiguous and array.dtype.isnative
    return array if is_usable else np.array(array, array.dtype.newbyteorder("="), order="C")
