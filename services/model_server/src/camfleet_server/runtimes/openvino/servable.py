"""A compiled OpenVINO model with a pool of infer requests."""

import ctypes
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from camfleet_server.runtimes.base import (
    AlreadyClosed,
    LoadError,
    PictureInput,
    Servable,
    ServesCrowds,
)
from camfleet_server.runtimes.openvino.api import ov
from camfleet_server.runtimes.openvino.compile import Compiled
from camfleet_server.runtimes.openvino.outline import Outline
from camfleet_server.runtimes.openvino.texts import first_ports, join_texts, split_texts
from camfleet_server.runtimes.openvino.threads import is_no_slower, is_tiny
from camfleet_server.runtimes.ports import Ports
from camfleet_server.types import Tensors, TensorSpec

_COPIED_BYTES = 4096  # of read-only memory: sooner done than a writable view of it
_BESIDE = 1  # while as many infer as there are streams, one more is read in or copied out


class OpenVinoServable:
    """Infers from as many threads at once as it has slots; inputs are shared, outputs copied."""

    platform = "OpenVINO"
    input_aliases: Mapping[str, str]
    output_aliases: Mapping[str, str]
    on_crowd: Callable[[ServesCrowds], None] | None

    def __init__(
        self, compiled: Compiled, ports: Ports, nireq: int = 0, outline: Outline | None = None
    ) -> None:
        self.inputs = ports.inputs
        self.picture_inputs = ports.inputs
        self.outputs = ports.outputs
        self.input_aliases = ports.input_aliases
        self.output_aliases = ports.output_aliases
        self.device = compiled.device
        optimal = int(compiled.model.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))
        self.slots = nireq or optimal + _BESIDE
        self.on_crowd = None
        self.take_pictures: Callable[[PictureInput], OpenVinoServable] | None = None
        self._ports = ports
        self._outline = outline  # where sizes are open
        self._nireq = nireq
        self._compiled: Compiled | None = compiled
        self._crowd: Servable | None = None
        self._crowd_lock = threading.Lock()
        self._has_asked = False
        self._positions = first_ports(ports.outputs)
        self._texts = {spec.name for spec in ports.outputs if spec.datatype == "BYTES"}
        self._idle: deque[Any] = deque(
            compiled.model.create_infer_request() for _ in range(self.slots)
        )
        self._remembers = bool(self._idle[0].query_state())

    def infer(self, inputs: Tensors, wanted: tuple[str, ...], *, in_crowd: bool = False) -> Tensors:
        """Infer in the calling thread, in a crowd on the compilation for crowds if it is there.

        Raises:
            InvalidInput: sizes do not fit through the graph, which is not asked then.
        """
        if self._outline is not None:
            self._outline.check(tuple(inputs[spec.name].shape for spec in self.inputs))
        if in_crowd:
            if self._crowd is not None:
                return self._crowd.infer(inputs, wanted)
            self._ask_for_crowd()
        request = self._idle_request()
        try:
            # Both lists live until the inference is over: OpenVINO reads their memory.
            arrays = [_contiguous(part) for spec in self.inputs for part in _parts(spec, inputs)]
            tensors = list(map(_tensor, arrays))
            for position, tensor in enumerate(tensors):
                request.set_input_tensor(position, tensor)
            if self._remembers:  # what one client asked must not reach another one's answer
                request.reset_state()
            request.infer(share_outputs=True)  # else it makes copies that nobody looks at
            return {name: self._output(request, name) for name in wanted}
        finally:
            self._idle.append(request)

    def image_servable(self, picture: PictureInput) -> "OpenVinoServable":
        """Compile the model once more, with the preprocessing of pictures in its graph.

        Raises:
            LoadError: the preprocessing does not fit the model.
        """
        take_pictures, self.take_pictures = self.take_pictures, None  # it holds the weights
        if take_pictures is None:
            raise LoadError("it was loaded without `preprocess`, or is asked for it again")
        servable = take_pictures(picture)
        servable.on_crowd = self.on_crowd
        return servable

    def choose_threads(self, inputs: Tensors) -> None:
        """Infer in one thread from now on where that takes no longer; nobody else infers yet."""
        own = self._compiled
        if own is None or own.for_one_thread is None:
            return
        for_one = own.for_one_thread
        self._compiled = own = replace(own, for_one_thread=None)  # it holds the weights
        names = tuple(self._positions)
        if not is_tiny(lambda: self.infer(inputs, names)):
            return
        alone = OpenVinoServable(Compiled(for_one(), self.device), self._ports, self._nireq)
        if is_no_slower(lambda: alone.infer(inputs, names), lambda: self.infer(inputs, names)):
            assert alone._compiled is not None  # noqa: S101 - nobody closed it
            self._compiled = replace(own, model=alone._compiled.model)
            self._idle, self.slots = alone._idle, alone.slots

    def compile_for_crowd(self) -> Servable:
        """Compile for THROUGHPUT, from what the first compilation was made of.

        Raises:
            LoadError: OpenVINO cannot, or plugin_config has decided otherwise.
            AlreadyClosed: nobody infers any more.
        """
        own = self._compiled
        if own is None:
            raise AlreadyClosed
        if own.for_crowd is None:
            raise LoadError("there is nothing to compile for crowds")
        compiled = Compiled(own.for_crowd(), self.device)
        return OpenVinoServable(compiled, self._ports, self._nireq)

    def hand_over_crowd(self, crowd: Servable) -> None:
        """Let `crowd` infer what comes in a crowd."""
        with self._crowd_lock:
            if self._compiled is not None:
                self._crowd = crowd
                self._compiled = replace(self._compiled, for_crowd=None)  # it holds the weights
                return
        crowd.close()

    def close(self) -> None:
        """Free the compiled models with their requests."""
        with self._crowd_lock:
            self._compiled = None
            crowd, self._crowd = self._crowd, None
        if crowd is not None:
            crowd.close()
        self._idle.clear()
        self.take_pictures = None

    def _ask_for_crowd(self) -> None:
        if self.on_crowd is None or self._has_asked:
            return
        with self._crowd_lock:
            has_asked, self._has_asked = self._has_asked, True
        can_compile = self._compiled is not None and self._compiled.for_crowd is not None
        if can_compile and not has_asked:
            self.on_crowd(self)

    def _idle_request(self) -> Any:
        try:
            return self._idle.popleft()  # in turns, so that a warm-up reaches every one
        except IndexError:  # more turns are granted for crowds than this compilation has streams
            if self._compiled is None:
                raise AlreadyClosed from None
            return self._compiled.model.create_infer_request()

    def _output(self, request: Any, name: str) -> NDArray[Any]:
        position = self._positions[name]
        if name in self._texts:
            return join_texts(*(request.get_output_tensor(position + i).data for i in range(3)))
        return np.array(request.get_output_tensor(position).data)  # a copy: it is used again


def _parts(spec: TensorSpec, inputs: Tensors) -> tuple[NDArray[Any], ...]:
    array = inputs[spec.name]
    return split_texts(spec.name, array) if spec.datatype == "BYTES" else (array,)


def _contiguous(array: NDArray[Any]) -> NDArray[Any]:
    flags = array.flags
    is_usable = flags.c_contiguous and array.size and array.dtype.isnative
    if is_usable and (flags.writeable or array.nbytes > _COPIED_BYTES):
        return array
    return np.array(array, array.dtype.newbyteorder("="), order="C")


def _tensor(array: NDArray[Any]) -> Any:
    return ov.Tensor(_writable(array), shared_memory=True)


def _writable(array: NDArray[Any]) -> NDArray[Any]:
    """Return a view OpenVINO accepts: it wants writable memory, though it only reads inputs.

    The view does not keep the memory alive; the caller holds `array` for that.
    """
    if array.flags.writeable:
        return array
    memory = (ctypes.c_char * array.nbytes).from_address(array.ctypes.data)
    view: NDArray[Any] = np.frombuffer(memoryview(memory), array.dtype)
    return view.reshape(array.shape)
