"""What the transports need from the layer below; `DataPlane` has it."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from camfleet_server.serving.load_log import LoadRecord
from camfleet_server.serving.statistics import StatisticsOfVersion
from camfleet_server.types import (
    InferRequest,
    InferResult,
    Manifest,
    ModelMetadata,
    VersionStatus,
    WantedModel,
)


class Health(Protocol):
    """Is anybody there, and what is wrong?"""

    def live(self) -> bool: ...
    def ready(self) -> bool: ...
    def faults(self) -> tuple[str, ...]: ...
    def model_ready(self, name: str, version: int | None = None) -> bool: ...


class Catalogue(Protocol):
    """What is served, and bringing it up to date."""

    def model_metadata(self, name: str, version: int | None = None) -> ModelMetadata: ...
    def manifest(self, name: str, version: int | None = None) -> Manifest: ...
    def statuses(self, name: str) -> tuple[VersionStatus, ...]: ...
    def labelled_version(self, name: str, label: str) -> int: ...
    def all_statuses(self) -> Mapping[str, tuple[VersionStatus, ...]]: ...
    def last_loads(self) -> tuple[LoadRecord, ...]: ...
    def reload(self) -> bool: ...


class Configurable(Protocol):
    """Changes of what is served."""

    def apply_config(
        self, models: Sequence[WantedModel], timeout_s: float = 60.0
    ) -> tuple[str, ...]: ...


class Controllable(Protocol):
    """Models loaded and unloaded on request, and what they did so far."""

    def load_model(
        self, name: str, config: Mapping[str, Any], files: Mapping[str, bytes]
    ) -> None: ...
    def unload_model(self, name: str) -> None: ...
    def loadable_models(self) -> tuple[str, ...]: ...
    def statistics(
        self, name: str = "", version: int | None = None
    ) -> tuple[StatisticsOfVersion, ...]: ...


class Inference(Protocol):
    """Tensors in, tensors out."""

    def infer(self, request: InferRequest) -> InferResult: ...


class Served(Health, Catalogue, Configurable, Controllable, Inference, Protocol):
    """All of it."""
