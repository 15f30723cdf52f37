"""What the transports need from the layer below; `DataPlane` has it."""

from collections.abc import Mapping
from typing import Protocol

from camfleet_server.types import (
    InferRequest,
    InferResult,
    Manifest,
    ModelMetadata,
    VersionStatus,
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
    def all_statuses(self) -> Mapping[str, tuple[VersionStatus, ...]]: ...
    def reload(self) -> bool: ...


class Inference(Protocol):
    """Tensors in, tensors out."""

    def infer(self, request: InferRequest) -> InferResult: ...


class Served(Health, Catalogue, Inference, Protocol):
    """All of it."""
