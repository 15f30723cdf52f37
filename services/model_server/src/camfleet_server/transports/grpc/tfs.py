"""TensorFlow Serving over gRPC: Predict, metadata, status, and the request to reload."""

import time
from collections.abc import Callable
from typing import Any

from camfleet_contracts.protocols import serving_pb2 as pb
from camfleet_contracts.protocols import tensorflow_pb2
from camfleet_contracts.tensors import get_datatype
from camfleet_contracts.wire_answers import SIGNATURE
from camfleet_server.answer import Call
from camfleet_server.errors import InvalidInput, ModelVersionNotFound
from camfleet_server.metrics import ServerMetrics
from camfleet_server.transports.grpc.calls import (
    Handlers,
    MessageQuota,
    Method,
    infer_handler,
    refusing,
    service_handlers,
)
from camfleet_server.transports.grpc.rpc import Rpc
from camfleet_server.transports.grpc.status import StatusCode
from camfleet_server.transports.grpc.tfs_config import wanted_models
from camfleet_server.transports.grpc.tfs_predict import TfsInference
from camfleet_server.transports.served import Served
from camfleet_server.types import ModelMetadata, TensorSpec, VersionStatus

SIGNATURE_FIELD = "signature_def"
_METHOD_NAME = "tensorflow/serving/predict"
_PREDICTION = "tensorflow.serving.PredictionService"
_MODELS = "tensorflow.serving.ModelService"
_NOT_OFFERED = ("Classify", "Regress", "MultiInference")
_FAILED = int(StatusCode.UNKNOWN)
_RELOAD_LIMIT_S = 60.0
_ANSWER_S = 0.5  # kept back of a call's deadline for telling what did not become available


def _call(method: str) -> Call:
    return Call("TensorFlowServing", "gRPC", method)


_METADATA = _call("GetModelMetadata")
_STATUS = _call("GetModelStatus")


class TfsService:
    """PredictionService and ModelService in front of the data plane."""

    def __init__(self, served: Served, metrics: ServerMetrics) -> None:
        self._served = served
        self._metrics = metrics

    def handlers(self, quota: MessageQuota) -> Handlers:
        """Return the handlers of both services."""
        prediction = (_method("GetModelMetadata", self.get_model_metadata),)
        models = (
            _method("GetModelStatus", self.get_model_status),
            _method("HandleReloadConfigRequest", self.reload, messages="ReloadConfig"),
        )
        inference = TfsInference(
            self._served, self._metrics, lambda message: read_spec(message, self._served)
        )
        return {
            f"/{_PREDICTION}/Predict": infer_handler(inference, quota),
            **service_handlers(_PREDICTION, prediction),
            **service_handlers(_MODELS, models),
            **{
                f"/{_PREDICTION}/{name}": refusing(f"{name} is not offered; use Predict")
                for name in _NOT_OFFERED
            },
        }

    def get_model_metadata(
        self, request: pb.GetModelMetadataRequest, _: Rpc
    ) -> pb.GetModelMetadataResponse:
        """Describe inputs and outputs as the signature `serving_default`."""
        with self._metrics.request(_METADATA, request.model_spec.name) as answer:
            name, version = read_spec(request, self._served)
            _check_metadata_fields(request)
            metadata = self._served.model_metadata(name, version)
            answer.model, answer.version = metadata.name, metadata.version
            return metadata_response(metadata)

    def get_model_status(
        self, request: pb.GetModelStatusRequest, _: Rpc
    ) -> pb.GetModelStatusResponse:
        """Tell the state of every version, or of the one that was asked for."""
        with self._metrics.request(_STATUS, request.model_spec.name):
            name, version = read_spec(request, self._served)
            return status_response(select_statuses(self._served.statuses(name), name, version))

    def reload(self, request: pb.ReloadConfigRequest, rpc: Rpc) -> pb.ReloadConfigResponse:
        """Serve the models of the request; without any, read config.json again."""
        models = wanted_models(request)
        if not models:
            self._served.reload()
            return pb.ReloadConfigResponse(status=pb.StatusProto(error_code=0))
        faults = self._served.apply_config(models, _reload_limit_s(rpc.deadline))
        return pb.ReloadConfigResponse(status=_reload_status(faults))


def select_statuses(
    statuses: tuple[VersionStatus, ...], name: str, version: int | None
) -> tuple[VersionStatus, ...]:
    """Pick the status of one version, or all when none is named.

    Raises:
        ModelVersionNotFound: there is no such version.
    """
    selected = tuple(s for s in statuses if version is None or s.version == version)
    if version is not None and not selected:
        raise ModelVersionNotFound(name, version)
    return selected


def metadata_response(metadata: ModelMetadata) -> pb.GetModelMetadataResponse:
    """Encode metadata as TensorFlow Serving does: a SignatureDefMap inside an Any."""
    signatures = pb.SignatureDefMap()
    signature = signatures.signature_def[SIGNATURE]
    signature.method_name = _METHOD_NAME
    for spec in metadata.inputs:
        signature.inputs[spec.name].CopyFrom(_tensor_info(spec))
    for spec in metadata.outputs:
        signature.outputs[spec.name].CopyFrom(_tensor_info(spec))
    response = pb.GetModelMetadataResponse(model_spec=_spec(metadata.name, metadata.version))
    response.metadata[SIGNATURE_FIELD].Pack(signatures)
    return response


def status_response(statuses: tuple[VersionStatus, ...]) -> pb.GetModelStatusResponse:
    """Encode states; a version that has a reason carries it as its error."""
    response = pb.GetModelStatusResponse()
    for status in statuses:
        response.model_version_status.add(
            version=status.version,
            state=status.state.value,
            status=pb.StatusProto(
                error_code=_FAILED if status.reason else 0, error_message=status.reason or "OK"
            ),
        )
    return response


def _method(name: str, answer: Callable[[Any, Rpc], Any], messages: str = "") -> Method:
    """Name the messages after the method, or after `messages` where they differ."""
    stem = messages or name
    return Method(name, answer, getattr(pb, f"{stem}Request"), getattr(pb, f"{stem}Response"))


def read_spec(request: Any, served: Served) -> tuple[str, int | None]:
    """Read model and version (None: the latest) of a request; a label is looked up.

    Raises:
        InvalidInput: it names no model.
        ModelNotFound, UnknownLabel: the label cannot be looked up.
    """
    if not request.HasField("model_spec"):
        raise InvalidInput("model_spec missing in request")
    spec = request.model_spec
    if spec.version_label:
        return spec.name, served.labelled_version(spec.name, spec.version_label)
    version = spec.version.value if spec.HasField("version") else 0
    return spec.name, version or None


def _reload_limit_s(deadline: float | None) -> float:
    if deadline is None:
        return _RELOAD_LIMIT_S
    return min(_RELOAD_LIMIT_S, max(0.0, deadline - time.monotonic() - _ANSWER_S))


def _reload_status(faults: tuple[str, ...]) -> pb.StatusProto:
    if not faults:
        return pb.StatusProto(error_code=0)
    text = f"{len(faults)} model(s) did not become available: {'; '.join(faults)}"
    return pb.StatusProto(error_code=_FAILED, error_message=text)


def _check_metadata_fields(request: pb.GetModelMetadataRequest) -> None:
    unknown = [field for field in request.metadata_field if field != SIGNATURE_FIELD]
    if unknown:
        raise InvalidInput(
            f"Metadata field is not supported - Expected: {SIGNATURE_FIELD}; Actual: {unknown[0]}"
        )


def _spec(name: str, version: int) -> pb.ModelSpec:
    spec = pb.ModelSpec(name=name, signature_name=SIGNATURE)
    spec.version.value = version
    return spec


def _tensor_info(spec: TensorSpec) -> tensorflow_pb2.TensorInfo:
    number = get_datatype(spec.datatype, spec.name).tensorflow
    info = tensorflow_pb2.TensorInfo(name=spec.name, dtype=number)  # type: ignore[arg-type] # int
    info.tensor_shape.SetInParent()  # a scalar's shape has no dimensions, it is not unknown
    for size in spec.shape:
        info.tensor_shape.dim.add(size=size)
    return info
