"""The last layer of a detector that is read by OpenVINO: what goes into it, and new weights."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from camfleet.cli.errors import CommandError

Floats = NDArray[np.float32]
_NAME = re.compile(r"heads\.(\d+)\.(box|classes)\.(weight|bias)")


@dataclass(frozen=True, slots=True)
class Layer:
    """One 1x1 convolution: out = features @ weight.T + bias, for every cell of a grid."""

    weight: Floats  # (outputs, channels)
    bias: Floats  # (outputs,)


class LastLayer:
    """The heads of a detector: of each grid one layer for boxes, and one for classes.

    Its constants are named `heads.<grid>.box.weight`, `.bias` and `heads.<grid>.classes...`, as
    PyTorch's export names them; the first four outputs of `box` are the box, the fifth objectness.
    """

    def __init__(self, path: Path) -> None:
        """Read a model file.

        Raises:
            CommandError: it has no such layers.
        """
        import openvino as ov  # noqa: PLC0415 - takes long

        self._ov, self._core = ov, ov.Core()
        self.model = self._core.read_model(path)
        found = ((_NAME.fullmatch(op.get_friendly_name()), op) for op in self.model.get_ops())
        self._constants = {
            (int(match[1]), match[2], match[3]): op for match, op in found if match is not None
        }
        self.grids = sorted({grid for grid, _, _ in self._constants})
        wanted = 4 * len(self.grids)  # weight and bias of two layers
        if not self.grids or len(self._constants) != wanted:
            raise CommandError(
                f"{path.name} has no last layer that can be trained here (constants named "
                "heads.<n>.box.weight ...); `camfleet-workbench kernel add torch` brings PyTorch"
            )

    def layer(self, grid: int, part: str) -> Layer:
        """The weights of now."""
        weight = self._constants[grid, part, "weight"].data
        bias = self._constants[grid, part, "bias"].data
        return Layer(
            np.array(weight, np.float32).reshape(weight.shape[0], -1),
            np.array(bias, np.float32).ravel(),
        )

    def features(self, tensors: Sequence[NDArray[Any]]) -> list[list[tuple[Floats, Floats]]]:
        """For each input and grid the features of both layers, each (cells, channels)."""
        outputs = [
            self._convolution(grid, part).input_value(0)
            for grid in self.grids
            for part in ("box", "classes")
        ]
        cut = self._ov.Model(outputs, self.model.get_parameters(), "features")
        compiled = self._core.compile_model(cut, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        return [self._answer(compiled, tensor) for tensor in tensors]

    def replace(self, grid: int, part: str, layer: Layer) -> None:
        """Put new weights into the model."""
        for kind, values in (("weight", layer.weight), ("bias", layer.bias)):
            old = self._constants[grid, part, kind]
            new = self._ov.opset13.constant(values.reshape(old.shape).astype(np.float32))
            new.set_friendly_name(old.get_friendly_name())
            for target in list(old.output(0).get_target_inputs()):
                target.replace_source_output(new.output(0))
            self._constants[grid, part, kind] = new

    def _convolution(self, grid: int, part: str) -> Any:
        [target] = self._constants[grid, part, "weight"].output(0).get_target_inputs()
        return target.get_node()

    def _answer(self, compiled: Any, tensor: NDArray[Any]) -> list[tuple[Floats, Floats]]:
        answers = compiled(tensor)
        rows = [
            np.array(answers[number])[0].reshape(answers[number].shape[1], -1).T
            for number in range(2 * len(self.grids))
        ]
        return list(zip(rows[::2], rows[1::2], strict=True))
