"""The values that pass between the transports, the data plane and the layers below it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, TypeAlias

from numpy.typing import NDArray

Tensors: TypeAlias = dict[str, NDArray[Any]]
"""Tensors by name. BYTES tensors are arrays of dtype object whose elements are ``bytes``."""

OnAbandoned: TypeAlias = Callable[[Callable[[], None]], bool]
"""Registers what runs once the client went away; False: it is gone already, nothing will run.

The callback runs in a thread of the transport, also when the call ends as it should.
"""


class VersionState(IntEnum):
    """Life of one version; the numbers are those of TensorFlow Serving."""

    START = 10
    LOADING = 20
    AVAILABLE = 30
    UNLOADING = 40
    END = 50


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """One input or output as the model file declares it."""

    name: str
    datatype: str  # as KServe writes it: "FP32", "UINT8", "BYTES" ... (camfleet_contracts.tensors)
    shape: tuple[int, ...]  # -1 where the model leaves a dimension open
    ranges: Mapping[int, tuple[int, int]] = field(default_factory=dict, compare=False)
    """Smallest and largest size of the axes that are open within bounds."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """model.json of one version as clients get it, labels inlined."""

    text: str
    etag: str  # without quotes; equal for equal texts


@dataclass(frozen=True, slots=True)
class ModelMetadata:
    """What one loaded version takes and gives."""

    name: str
    version: int
    versions: tuple[int, ...]  # every version that is AVAILABLE, ascending
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    platform: str = "OpenVINO"
    manifest: Manifest = Manifest("{}", "")


@dataclass(frozen=True, slots=True)
class InferRequest:
    """One request; the arrays may be read-only views of the message they came in."""

    model: str
    inputs: Tensors
    version: int | None = None  # None: the highest AVAILABLE version
    outputs: tuple[str, ...] = ()  # wanted outputs, empty: all
    deadline: float | None = None  # on time.monotonic()
    stream_id: str | None = None  # requests of one stream: the latest wins
    priority: int = 0  # 1 is the highest, 0 the default of the model
    on_abandoned: OnAbandoned | None = None
    peer: Callable[[], str] | None = None  # whose share it counts to; asked only if it must wait


@dataclass(frozen=True, slots=True)
class InferResult:
    """The answer and the version that gave it; `model` is its own name, never a file's path."""

    model: str
    version: int
    outputs: Tensors
    manifest: Manifest = Manifest("{}", "")  # of that very version


@dataclass(frozen=True, slots=True)
class VersionStatus:
    """State of one version; ``reason`` is empty when nothing is wrong with it."""

    version: int
    state: VersionState
    reason: str = ""


@dataclass(frozen=True, slots=True)
class WantedModel:
    """One model of a configuration that TensorFlow Serving's reload request brings."""

    name: str
    base_path: str
    version_policy: Mapping[str, Any] | None = None  # as config.json writes it; None: the latest
    labels: Mapping[str, int] = field(default_factory=dict)
