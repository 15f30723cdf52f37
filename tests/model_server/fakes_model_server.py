"""A data plane without models: adds one to what it gets, and fails as it is told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from camfleet_server.errors import (
    ModelNotFound,
    ModelVersionNotFound,
    ServerError,
    UnknownLabel,
)
from camfleet_server.serving.load_log import LoadRecord, Outcome
from camfleet_server.serving.statistics import Statistics, StatisticsOfVersion
from camfleet_server.types import (
    InferRequest,
    InferResult,
    Manifest,
    ModelMetadata,
    Tensors,
    TensorSpec,
    VersionState,
    VersionStatus,
    WantedModel,
)

IMAGE_MODEL = ModelMetadata(
    name="increment",
    version=2,
    versions=(1, 2),
    inputs=(TensorSpec("image", "FP32", (1, 3, -1, 4)),),
    outputs=(TensorSpec("sum", "FP32", (1, 3, -1, 4)),),
)
PAIR_MODEL = ModelMetadata(
    name="pair",
    version=1,
    versions=(1,),
    inputs=(TensorSpec("left", "INT32", (-1, 2)), TensorSpec("right", "INT32", (-1, 2))),
    outputs=(TensorSpec("total", "INT32", (-1, 2)), TensorSpec("difference", "INT32", (-1, 2))),
)
TEXT_MODEL = ModelMetadata(
    name="echo",
    version=7,
    versions=(7,),
    inputs=(TensorSpec("text", "BYTES", (-1,)),),
    outputs=(TensorSpec("text", "BYTES", (-1,)),),
)
LABELS = {"increment": {"stable": 1}}
FAILED = VersionStatus(3, VersionState.LOADING, "version 3: model.xml is truncated")


@dataclass
class FakeDataPlane:
    """Has three models; `failure` is raised by the next inferences, `requests` keeps them all."""

    failure: Exception | None = None
    is_ready: bool = True
    reload_result: bool | ServerError = False
    answer: Tensors | None = None  # in place of what the model would say
    config_result: tuple[str, ...] | ServerError = ()
    requests: list[InferRequest] = field(default_factory=list)
    loads: list[tuple[str, dict[str, Any], dict[str, bytes]]] = field(default_factory=list)
    unloads: list[str] = field(default_factory=list)
    loadable: tuple[str, ...] = ()
    configs: list[tuple[tuple[WantedModel, ...], float]] = field(default_factory=list)

    def live(self) -> bool:
        return True

    def ready(self) -> bool:
        return self.is_ready

    def faults(self) -> tuple[str, ...]:
        return (FAILED.reason,)

    def model_ready(self, name: str, version: int | None = None) -> bool:
        model = MODELS.get(name)
        return model is not None and version in {None, *model.versions}

    def model_metadata(self, name: str, version: int | None = None) -> ModelMetadata:
        model = MODELS.get(name)
        if model is None:
            raise ModelNotFound(name)
        if version is not None and version not in model.versions:
            raise ModelVersionNotFound(name, version)
        number = version or model.version
        manifest = Manifest(f'{{"id": "{name}", "version": {number}}}', f"etag-{name}-{number}")
        return replace(model, version=number, manifest=manifest)

    def manifest(self, name: str, version: int | None = None) -> Manifest:
        return self.model_metadata(name, version).manifest

    def statuses(self, name: str) -> tuple[VersionStatus, ...]:
        versions = self.model_metadata(name).versions
        good = tuple(VersionStatus(v, VersionState.AVAILABLE) for v in reversed(versions))
        return (FAILED, *good) if name == "increment" else good

    def all_statuses(self) -> dict[str, tuple[VersionStatus, ...]]:
        return {name: self.statuses(name) for name in MODELS}

    def labelled_version(self, name: str, label: str) -> int:
        self.model_metadata(name)
        if label not in LABELS.get(name, {}):
            raise UnknownLabel(name, label)
        return LABELS[name][label]

    def apply_config(
        self, models: Sequence[WantedModel], timeout_s: float = 60.0
    ) -> tuple[str, ...]:
        self.configs.append((tuple(models), timeout_s))
        if isinstance(self.config_result, ServerError):
            raise self.config_result
        return self.config_result

    def last_loads(self) -> tuple[LoadRecord, ...]:
        begun = datetime(2026, 11, 29, 18, 0, tzinfo=UTC)
        refused = Outcome.REFUSED, "model.onnx is cut off", 0.25
        return (
            LoadRecord(begun + timedelta(seconds=9), "increment", 3, *refused),
            LoadRecord(begun, "increment", 2, Outcome.LOADED, took_s=1.23456),
        )

    def reload(self) -> bool:
        if isinstance(self.reload_result, ServerError):
            raise self.reload_result
        return self.reload_result

    def statistics(
        self, name: str = "", version: int | None = None
    ) -> tuple[StatisticsOfVersion, ...]:
        names = [name] if name else list(MODELS)
        readings = [self.model_metadata(name, version) for name in names]
        return tuple(StatisticsOfVersion(m.name, m.version, Statistics()) for m in readings)

    def load_model(self, name: str, config: Mapping[str, Any], files: Mapping[str, bytes]) -> None:
        if isinstance(self.reload_result, ServerError):
            raise self.reload_result
        self.loads.append((name, dict(config), dict(files)))

    def loadable_models(self) -> tuple[str, ...]:
        return self.loadable

    def unload_model(self, name: str) -> None:
        self.unloads.append(name)

    def infer(self, request: InferRequest) -> InferResult:
        self.requests.append(request)
        if self.failure is not None:
            raise self.failure
        metadata = self.model_metadata(request.model, request.version)
        outputs = self.answer or _answer(request)
        wanted = request.outputs or tuple(outputs)
        chosen = {name: outputs[name] for name in wanted}
        return InferResult(request.model, metadata.version, chosen, metadata.manifest)


def _answer(request: InferRequest) -> Tensors:
    if request.model == "increment":
        return {"sum": request.inputs["image"] + np.float32(1)}
    if request.model == "pair":
        left, right = request.inputs["left"], request.inputs["right"]
        return {"total": left + right, "difference": left - right}
    return dict(request.inputs)


MODELS = {model.name: model for model in (IMAGE_MODEL, PAIR_MODEL, TEXT_MODEL)}
