"""What the server asks of a runtime, and what a runtime is given."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from camfleet_contracts.model_manifest import ModelManifest
from camfleet_contracts.serving_config import ModelConfig
from camfleet_server.types import Tensors, TensorSpec


class LoadError(Exception):
    """The files could not be loaded or run; the text is the reason a user reads."""


class VendorMissing(LoadError):
    """The vendor's library or device is not on this machine."""


@dataclass(frozen=True, slots=True)
class ModelSource:
    """One version to load; it is also sent to the probe's process, so it holds plain values."""

    name: str
    version: int
    folder: Path  # or the one model file when base_path names a file
    config: ModelConfig
    manifest: ModelManifest
    cache_dir: Path | None = None


class Servable(Protocol):
    """One loaded version, ready to infer from as many threads at once as it has slots."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    input_aliases: Mapping[str, str]  # other names of a port -> its own name
    output_aliases: Mapping[str, str]
    platform: str  # e.g. "OpenVINO"
    device: str  # what it really runs on
    slots: int

    def infer(self, inputs: Tensors, wanted: tuple[str, ...]) -> Tensors:
        """Return the wanted outputs; inputs are complete, checked and under the model's names."""
        ...

    def close(self) -> None:
        """Give the memory back; nobody infers any more."""
        ...


class Runtime(Protocol):
    """Loads model files onto a device."""

    def load(self, source: ModelSource) -> Servable:
        """Load a version.

        Raises:
            LoadError: says which file and why.
        """
        ...
