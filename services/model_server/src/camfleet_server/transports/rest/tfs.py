"""TensorFlow Serving over REST: status, metadata and :predict in rows or columns."""

import json
from typing import Any

import grpc
from google.protobuf.json_format import MessageToDict
from numpy.typing import NDArray
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from camfleet_contracts.protocols import POOL
from camfleet_server.errors import InvalidInput
from camfleet_server.metrics import Call, ServerMetrics
from camfleet_server.transports.grpc.tfs import metadata_response, select_statuses
from camfleet_server.transports.rest.calls import version_in, with_body
from camfleet_server.transports.rest.json_tensors import (
    array_from_json,
    array_to_json,
    parse_object,
)
from camfleet_server.transports.served import Served
from camfleet_server.types import InferRequest, InferResult, ModelMetadata, VersionStatus

_PREDICT = Call("TensorFlowServing", "REST", "Predict")
_METADATA = Call("TensorFlowServing", "REST", "GetModelMetadata")
_STATUS = Call("TensorFlowServing", "REST", "GetModelStatus")
_ROWS = "instances"
_COLUMNS = "inputs"


class TfsRoutes:
    """The /v1/models paths of TensorFlow Serving in front of the data plane."""

    def __init__(self, served: Served, metrics: ServerMetrics) -> None:
        self._served = served
        self._metrics = metrics

    def routes(self) -> list[Route]:
        """Return all routes, the ones with a verb first."""
        prefixes = ("/v1/models/{model}", "/v1/models/{model}/versions/{version}")
        handlers = [
            (":predict", with_body(self.predict), "POST"),
            ("/metadata", self.metadata, "GET"),
            ("", self.status, "GET"),
        ]
        return [
            Route(prefix + path, handler, methods=[method])
            for path, handler, method in handlers
            for prefix in prefixes
        ]

    def status(self, request: Request) -> Response:
        """Tell the state of every version, or of the one in the URL."""
        name = request.path_params["model"]
        with self._metrics.request(_STATUS, name):
            version = version_in(request)
            statuses = select_statuses(self._served.statuses(name), name, version)
            return JSONResponse(statuses_json(statuses))

    def metadata(self, request: Request) -> Response:
        """Describe inputs and outputs as the signature `serving_default`."""
        name = request.path_params["model"]
        with self._metrics.request(_METADATA, name) as answer:
            metadata = self._served.model_metadata(name, version_in(request))
            answer.version = metadata.version
            return JSONResponse(_metadata_json(metadata))

    def predict(self, request: Request, body: bytes) -> Response:
        """Infer on rows (`instances`) or columns (`inputs`)."""
        name = request.path_params["model"]
        with self._metrics.request(_PREDICT, name) as answer:
            asked = parse_object(body)
            version = version_in(request)
            inputs = _read_inputs(asked, self._served.model_metadata(name, version))
            # Not the metadata's version: a newer one may have taken its place meanwhile.
            result = self._served.infer(InferRequest(name, inputs, version))
            answer.version = result.version
            text = json.dumps(_answer_json(result, is_rows=_ROWS in asked), separators=(",", ":"))
            return Response(text, media_type="application/json")  # NaN as TensorFlow Serving


def statuses_json(statuses: tuple[VersionStatus, ...]) -> dict[str, Any]:
    """Write states as OVMS does; a version that has a reason carries it as its error."""
    entries = [
        {
            "version": str(status.version),
            "state": status.state.name,
            "status": {
                "error_code": grpc.StatusCode.UNKNOWN.name if status.reason else "OK",
                "error_message": status.reason or "OK",
            },
        }
        for status in statuses
    ]
    return {"model_version_status": entries}


def _metadata_json(metadata: ModelMetadata) -> dict[str, Any]:
    written = MessageToDict(metadata_response(metadata), descriptor_pool=POOL)
    # The field names of the response itself keep their underscores upstream.
    signatures = written["metadata"]
    spec = {**written["modelSpec"], "signatureName": ""}
    return {"modelSpec": spec, "metadata": signatures}


def _read_inputs(asked: dict[str, Any], metadata: ModelMetadata) -> dict[str, NDArray[Any]]:
    if (_ROWS in asked) == (_COLUMNS in asked):
        raise InvalidInput("Invalid JSON structure. Could not detect row or column format")
    values = _columns_of(asked[_ROWS]) if _ROWS in asked else asked[_COLUMNS]
    columns = values if _is_named(values) else {_only_input(metadata): values}
    datatypes = {spec.name: spec.datatype for spec in metadata.inputs}
    first = metadata.inputs[0].datatype if metadata.inputs else "FP32"
    return {
        name: array_from_json(column, datatypes.get(name, first), name)
        for name, column in columns.items()
    }


def _columns_of(rows: Any) -> Any:
    """Turn rows of named values into named columns; other rows are a column already."""
    if not isinstance(rows, list) or not rows:
        raise InvalidInput("Could not parse instance content. Not valid ndarray detected")
    if not _is_named(rows[0]):
        return rows
    names = list(rows[0])
    if any(not _is_named(row) or list(row) != names for row in rows):
        raise InvalidInput(
            "Could not parse instance content. Not valid ndarray detected - "
            f"every instance needs the inputs {', '.join(names)}"
        )
    return {name: [row[name] for row in rows] for name in names}


def _is_named(values: Any) -> bool:
    return isinstance(values, dict) and "b64" not in values


def _only_input(metadata: ModelMetadata) -> str:
    if len(metadata.inputs) != 1:
        names = ", ".join(spec.name for spec in metadata.inputs)
        raise InvalidInput(f"Invalid JSON structure. Inputs must be named - Expected: {names}")
    return metadata.inputs[0].name


def _answer_json(result: InferResult, *, is_rows: bool) -> dict[str, Any]:
    columns = {name: array_to_json(array) for name, array in result.outputs.items()}
    only = next(iter(columns.values())) if len(columns) == 1 else None
    if not is_rows:
        return {"outputs": columns if only is None else only}
    if only is not None:
        return {"predictions": only}
    rows = zip(*columns.values(), strict=False)
    return {"predictions": [dict(zip(columns, row, strict=True)) for row in rows]}
