"""TensorFlow Serving over REST: status, metadata and :predict in rows or columns."""

import json
from typing import Any

from google.protobuf.json_format import MessageToDict
from numpy.typing import NDArray
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from camfleet_contracts.protocols import POOL
from camfleet_server.answer import Call
from camfleet_server.errors import InvalidInput, NotOffered
from camfleet_server.metrics import ServerMetrics
from camfleet_server.transports.grpc.status import StatusCode
from camfleet_server.transports.grpc.tfs import metadata_response, select_statuses
from camfleet_server.transports.rest.bodies import Body
from camfleet_server.transports.rest.calls import on_abandoned, peer_of, version_in, with_body
from camfleet_server.transports.rest.json_tensors import (
    array_from_json,
    array_to_json,
    bytes_to_json,
    parse_object,
)
from camfleet_server.transports.served import Served
from camfleet_server.types import InferRequest, InferResult, ModelMetadata, VersionStatus

_PREDICT = Call("TensorFlowServing", "REST", "Predict")
_METADATA = Call("TensorFlowServing", "REST", "GetModelMetadata")
_STATUS = Call("TensorFlowServing", "REST", "GetModelStatus")
_ROWS = "instances"
_COLUMNS = "inputs"
_MODEL = "/v1/models/{model}"
_PREFIXES = (_MODEL, _MODEL + "/versions/{version}", _MODEL + "/labels/{label}")
_BYTES_SUFFIX = "_bytes"  # outputs of such a name are always b64, as in TensorFlow Serving


class TfsRoutes:
    """The /v1/models paths of TensorFlow Serving in front of the data plane."""

    def __init__(self, served: Served, metrics: ServerMetrics) -> None:
        self._served = served
        self._metrics = metrics

    def routes(self) -> list[Route]:
        """Return all routes, the ones with a verb first."""
        handlers = [
            (":predict", with_body(self.predict), "POST"),
            (":classify", self.not_offered, "POST"),
            (":regress", self.not_offered, "POST"),
            (":{verb}", self.unknown_verb, "POST"),
            ("/metadata", self.metadata, "GET"),
            ("", self.status, "GET"),
        ]
        return [
            Route(prefix + path, handler, methods=[method])
            for path, handler, method in handlers
            for prefix in _PREFIXES
        ]

    async def status(self, request: Request) -> Response:
        """Tell the state of every version, or of the one in the URL."""
        name = request.path_params["model"]
        with self._metrics.request(_STATUS, name):
            version = self._version_in(request)
            statuses = select_statuses(self._served.statuses(name), name, version)
            return JSONResponse(statuses_json(statuses))

    async def metadata(self, request: Request) -> Response:
        """Describe inputs and outputs as the signature `serving_default`."""
        name = request.path_params["model"]
        with self._metrics.request(_METADATA, name) as answer:
            metadata = self._served.model_metadata(name, self._version_in(request))
            answer.model, answer.version = metadata.name, metadata.version
            return JSONResponse(metadata_json(metadata))

    async def not_offered(self, request: Request) -> Response:
        """Refuse what needs tf.Example."""
        raise NotOffered(request.url.path.rpartition(":")[2], ":predict")

    async def unknown_verb(self, request: Request) -> Response:
        """Refuse a misspelt verb, which would else be part of a name that only GET knows."""
        verb = request.path_params["verb"]
        raise InvalidInput(f"Invalid request URL - ':{verb[:40]}' is not a verb; use :predict")

    def predict(self, request: Request, body: Body) -> Response:
        """Infer on rows (`instances`) or columns (`inputs`)."""
        name = request.path_params["model"]
        with self._metrics.request(_PREDICT, name) as answer:
            asked = parse_object(body)
            version = self._version_in(request)
            inputs = _read_inputs(asked, self._served.model_metadata(name, version))
            # Not the metadata's version: a newer one may have taken its place meanwhile.
            gone, peer = on_abandoned(request), peer_of(request)
            result = self._served.infer(
                InferRequest(name, inputs, version, on_abandoned=gone, peer=peer)
            )
            answer.model, answer.version = result.model, result.version
            text = json.dumps(_answer_json(result, is_rows=_ROWS in asked), separators=(",", ":"))
            return Response(text, media_type="application/json")  # NaN as TensorFlow Serving

    def _version_in(self, request: Request) -> int | None:
        label = request.path_params.get("label")
        if label is None:
            return version_in(request)
        return self._served.labelled_version(request.path_params["model"], label)


def statuses_json(statuses: tuple[VersionStatus, ...]) -> dict[str, Any]:
    """Write states as OVMS does; a version that has a reason carries it as its error."""
    entries = [
        {
            "version": str(status.version),
            "state": status.state.name,
            "status": {
                "error_code": StatusCode.UNKNOWN.name if status.reason else "OK",
                "error_message": status.reason or "OK",
            },
        }
        for status in statuses
    ]
    return {"model_version_status": entries}


def metadata_json(metadata: ModelMetadata) -> dict[str, Any]:
    """Write inputs and outputs as OVMS does, fields without a value too."""
    response = metadata_response(metadata)
    written = MessageToDict(
        response,
        descriptor_pool=POOL,
        always_print_fields_with_no_presence=True,  # ovmsclient looks for `dim` of scalars
    )
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
    names = rows[0].keys()
    if any(not _is_named(row) or row.keys() != names for row in rows):
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
    columns = {name: _column_json(name, array) for name, array in result.outputs.items()}
    only = next(iter(columns.values())) if len(columns) == 1 else None
    if not is_rows:
        return {"outputs": columns if only is None else only}
    _check_rows(result)
    if only is not None:
        return {"predictions": only}
    rows = zip(*columns.values(), strict=True)
    return {"predictions": [dict(zip(columns, row, strict=True)) for row in rows]}


def _column_json(name: str, array: NDArray[Any]) -> Any:
    is_encoded = name.endswith(_BYTES_SUFFIX) and array.dtype.kind in "OS"
    return bytes_to_json(array) if is_encoded else array_to_json(array)


def _check_rows(result: InferResult) -> None:
    """Refuse to cut into rows what does not have one value a row in every output."""
    sizes = {name: array.shape[0] if array.ndim else 0 for name, array in result.outputs.items()}
    if len(set(sizes.values())) > 1 or any(array.ndim == 0 for array in result.outputs.values()):
        told = ", ".join(f"{name}: {size}" for name, size in sizes.items())
        raise InvalidInput(
            f"Outputs cannot be told as rows - batch sizes: {told}; ask in columns with 'inputs'"
        )
