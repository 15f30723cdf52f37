"""What a service knows of its model: the manifest, in edgeIQ's attribute names."""

from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from camfleet.colours import colour_of
from camfleet.errors import BadArgument
from camfleet_contracts.engines import ENGINES
from camfleet_contracts.frameworks import (
    Framework,
    UnknownFramework,
    find_framework,
    get_framework,
)
from camfleet_contracts.model_manifest import BadManifest, ModelManifest, parse_manifest


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """A model.json, or the manifest that a server derived; `fields` has everything it says."""

    manifest: ModelManifest

    @classmethod
    def read(cls, told: "ModelConfig | dict[str, Any]") -> "ModelConfig":
        """A ModelConfig, or the fields of a model.json, flat or nested.

        Raises:
            BadArgument: it is neither, or fields are wrong; they are named.
        """
        if isinstance(told, ModelConfig):
            return told
        try:
            return cls(parse_manifest(told, where="model_config"))
        except BadManifest as error:
            raise BadArgument(str(error)) from error

    @property
    def id(self) -> str:
        """As published."""
        return self.manifest.id

    @property
    def purpose(self) -> str:
        """The service it is for; empty where nothing says it."""
        return self.manifest.purpose

    @property
    def labels(self) -> tuple[str, ...]:
        """By index."""
        return self.manifest.labels

    @property
    def colors(self) -> NDArray[np.uint8]:
        """A colour (blue, green, red) a label, (N, 3): of its colours file, else the fleet's."""
        count = len(self.labels)
        told = list(self.manifest.label_colors or ())[:count]
        own = [colour_of(index) for index in range(len(told), count)]
        return np.array([*told, *own], np.uint8).reshape(count, 3)

    @property
    def framework_type(self) -> str:
        """As in model.json; empty where the server found it out by itself."""
        return self.manifest.framework_type

    @property
    def fields(self) -> dict[str, Any]:
        """All that is said, unknown keys too."""
        return self.manifest.model_dump(mode="json", exclude_none=True)

    @property
    def dnn_support(self) -> bool:
        """OpenCV reads its format."""
        return self._is_read_by("DNN")

    @property
    def dnn_cuda_support(self) -> bool:
        """A runtime with CUDA reads its format."""
        return self._is_read_by("DNN_CUDA")

    @property
    def dnn_openvino_support(self) -> bool:
        """OpenVINO reads its format."""
        return self._is_read_by("DNN_OPENVINO")

    @property
    def tensor_rt_support(self) -> bool:
        """TensorRT, also that of ONNX Runtime, reads its format."""
        return self._is_read_by("TENSOR_RT")

    @property
    def hailo_support(self) -> bool:
        """It is compiled for Hailo."""
        return self._is_read_by("HAILO_RT")

    @property
    def onnx_rt_support(self) -> bool:
        """ONNX Runtime reads its format."""
        return self._is_read_by("ONNX_RT")

    def _is_read_by(self, engine: str) -> bool:
        """Whether one of the engine's runtimes reads the format; True where that is not known."""
        framework = self._find_framework()
        wishes = {wish for each in ENGINES[engine].wishes.values() for wish in each}
        runtimes = {wish.partition(":")[0] for wish in wishes}
        return framework is None or bool(runtimes & set(framework.runtimes))

    def _find_framework(self) -> Framework | None:
        try:
            return get_framework(self.framework_type)
        except UnknownFramework:
            return find_framework(PurePath(self.manifest.model_file))
