"""A compiled OpenVINO model with a pool of infer requests."""

import ctypes
from collections import deque
from typing import Any

import numpy as np
from numpy.typing import NDArray

from camfleet_server.runtimes._openvino_api import ov
from camfleet_server.runtimes._openvino_ports import Ports
from camfleet_server.types import Tensors

_MINIMUM_SLOTS = 2  # one infers while the other's answer is copied out


class OpenVinoServable:
    """Infers from as many threads at once as it has slots; inputs are shared, outputs copied."""

    platform = "OpenVINO"

    def __init__(self, compiled: Any, ports: Ports, device: str, nireq: int = 0) -> None:
        self.inputs = ports.inputs
        self.outputs = ports.outputs
        self.input_aliases = ports.input_aliases
        self.output_aliases = ports.output_aliases
        self.device = device
        optimal = int(compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))
        self.slots = nireq or max(_MINIMUM_SLOTS, optimal)
        self._positions = {spec.name: i for i, spec in enumerate(ports.outputs)}
        self._idle: deque[Any] = deque(compiled.create_infer_request() for _ in range(self.slots))

    def infer(self, inputs: Tensors, wanted: tuple[str, ...]) -> Tensors:
        """Infer in the calling thread; a slot must be free."""
        request = self._idle.popleft()  # in turns, so that a warm-up reaches every one
        try:
            # Both lists live until the inference is over: OpenVINO reads their memory.
            arrays = [_contiguous(inputs[spec.name]) for spec in self.inputs]
            tensors = [_tensor(array) for array in arrays]
            for position, tensor in enumerate(tensors):
                request.set_input_tensor(position, tensor)
            request.infer()
            return {name: self._output(request, name) for name in wanted}
        finally:
            self._idle.append(request)

    def close(self) -> None:
        """Free the compiled model with its requests."""
        self._idle.clear()

    def _output(self, request: Any, name: str) -> NDArray[Any]:
        tensor = request.get_output_tensor(self._positions[name])
        if tensor.get_element_type() == ov.Type.string:
            texts: NDArray[Any] = tensor.bytes_data.astype(object)
            return texts
        return np.array(tensor.data)  # a copy: the request is used again


def _contiguous(array: NDArray[Any]) -> NDArray[Any]:
    is_usable = array.flags.c_contiguous and array.size and array.dtype.isnative
    return array if is_usable else np.array(array, array.dtype.newbyteorder("="), order="C")


def _tensor(array: NDArray[Any]) -> Any:
    if array.dtype == object:
        return ov.Tensor(array.astype(np.bytes_))
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
