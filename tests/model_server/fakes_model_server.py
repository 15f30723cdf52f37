"""A data plane without models: adds one to what it gets, and fails as it is told."""

from dataclasses import dataclass, field, replace

import numpy as np

from camfleet_server.errors import ModelNotFound, ModelVersionNotFound, ServerError
from camfleet_server.types import (
    InferRequest,
    InferResult,
    Manifest,
    ModelMetadata,
    Tensors,
    TensorSpec,
    VersionState,
    VersionStatus,
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
FAILED = VersionStatus(3, VersionState.LOADING, "version 3: model.xml is truncated")


@dataclass
class FakeDataPlane:
    """Has three models; `failure` is raised by the next inferences, `requests` keeps them all."""

    failure: Exception | None = None
    is_ready: bool = True
    reload_result: bool | ServerError = False
    requests: list[InferRequest] = field(default_factory=list)

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
        return replace(model, version=version or model.version)

    def manifest(self, name: str, version: int | None = None) -> Manifest:
        number = self.model_metadata(name, version).version
        return Manifest(f'{{"id": "{name}", "version": {number}}}', f"etag-{name}-{number}")

    def statuses(self, name: str) -> tuple[VersionStatus, ...]:
        versions = self.model_metadata(name).versions
        good = tuple(VersionStatus(v, VersionState.AVAILABLE) for v in reversed(versions))
        return (FAILED, *good) if name == "increment" else good

    def all_statuses(self) -> dict[str, tuple[VersionStatus, ...]]:
        return {name: self.statuses(name) for name in MODELS}

    def reload(self) -> bool:
        if isinstance(self.reload_result, ServerError):
            raise self.reload_result
        return self.reload_result

    def infer(self, request: InferRequest) -> InferResult:
        self.requests.append(request)
        if self.failure is not None:
            raise self.failure
        metadata = self.model_metadata(request.model, request.version)
        outputs = _answer(request)
        wanted = request.outputs or tuple(outputs)
        chosen = {name: outputs[name] for name in wanted}
        return InferResult(request.model, metadata.version, chosen)


def _answer(request: InferRequest) -> Tensors:
    if request.model == "increment":
        return {"sum": request.inputs["image"] + np.float32(1)}
    if request.model == "pair":
        left, right = request.inputs["left"], request.inputs["right"]
        return {"total": left + right, "difference": left - right}
    return dict(request.inputs)


MODELS = {model.name: model for model in (IMAGE_MODEL, PAIR_MODEL, TEXT_MODEL)}
