"""KServe v2 inference over gRPC, from the bytes of a request to the bytes of its answer.

Inputs are resolved in `InferHead.read_inputs` and outputs encoded in `write_answer`, nowhere else;
what lies in shared memory or is answered as classes goes through `TensorExtensions` there.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple, Protocol

from numpy.typing import NDArray

from camfleet_contracts.datatypes import datatype_of, get_datatype
from camfleet_contracts.protocols import inference_pb2 as pb
from camfleet_contracts.tensors import (
    InvalidTensor,
    RawTensor,
    decode_contents,
    decode_raw,
    encode_raw,
)
from camfleet_contracts.wire import (
    LARGEST_REMEMBERED,
    Data,
    Remembered,
    parse_infer_head,
    scan_infer_request,
)
from camfleet_contracts.wire_answers import Buffer, infer_answer
from camfleet_server.answer import Call
from camfleet_server.metrics import ServerMetrics
from camfleet_server.transports.kserve_terms import (
    CLASSIFICATION,
    REGION,
    deadline_within,
    number_from,
    parse_version,
    refuse_sequences,
    stream_from,
)
from camfleet_server.transports.served import Inference
from camfleet_server.types import InferRequest, InferResult, OnAbandoned, Tensors

_INFER = Call("KServe", "gRPC", "ModelInfer")


class TensorExtensions(Protocol):
    """What inputs and outputs mean that carry parameters; called from any thread."""

    def read_input(self, item: pb.ModelInferRequest.InferInputTensor) -> NDArray[Any]:
        """Return an input that lies in a shared-memory region; it must stay valid for the request.

        Raises:
            ServerError, InvalidTensor: name the region and what is wrong.
        """
        ...

    def write_output(
        self,
        wanted: pb.ModelInferRequest.InferRequestedOutputTensor,
        result: InferResult,
        output: pb.ModelInferResponse.InferOutputTensor,
    ) -> bytes:
        """Put an output where it is wanted and return its raw contents, none when in a region.

        `output` has name, datatype and shape; they may be changed and parameters added.

        Raises:
            ServerError, InvalidTensor: name the region or parameter and what is wrong.
        """
        ...


class _Plan(NamedTuple):
    version: int | None
    outputs: tuple[str, ...]
    raws: tuple[tuple[str, RawTensor], ...]  # empty unless every input comes as bytes
    special_outputs: Mapping[str, pb.ModelInferRequest.InferRequestedOutputTensor]
    timeout_us: int
    stream_id: str | None
    priority: int


class InferHead:
    """What is the same in all requests of one client; shared between threads, never changed."""

    def __init__(self, head: bytes) -> None:
        self._message = parse_infer_head(head)
        self.model = self._message.model_name

    @cached_property
    def plan(self) -> _Plan:
        """How to answer; every use raises when the head asks for something impossible.

        Raises:
            InvalidInput, InvalidTensor: name the field.
        """
        message = self._message
        parameters = plain_parameters(message.parameters) if message.parameters else {}
        refuse_sequences(parameters)
        return _Plan(
            version=parse_version(message.model_version),
            outputs=tuple(output.name for output in message.outputs),
            raws=_raw_tensors(message.inputs),
            special_outputs={output.name: output for output in message.outputs if _special(output)},
            timeout_us=number_from(parameters, "timeout"),
            stream_id=stream_from(parameters),
            priority=number_from(parameters, "priority"),
        )

    def read_inputs(self, raws: Sequence[memoryview], extensions: TensorExtensions) -> Tensors:
        """Resolve the inputs: raw contents, typed contents or shared memory.

        Raises:
            InvalidTensor: contents are missing, doubled or do not fit datatype and shape.
        """
        plain = self.plan.raws
        if raws and len(raws) == len(plain):
            pairs = zip(plain, raws, strict=True)
            return {name: tensor.decode(raw) for (name, tensor), raw in pairs}
        return _read_mixed(self._message.inputs, raws, extensions)


class KserveInference:
    """Answers ModelInfer, alone or in a stream."""

    def __init__(
        self, served: Inference, metrics: ServerMetrics, extensions: TensorExtensions
    ) -> None:
        self._served = served
        self._metrics = metrics
        self._extensions = extensions
        self._heads = Remembered(InferHead)

    def answer(
        self,
        data: Data,
        call_deadline: float | None,
        on_abandoned: OnAbandoned,
        peer: Callable[[], str],
    ) -> list[Buffer]:
        """Infer on a ModelInferRequest and write the ModelInferResponse."""
        head_bytes, request_id, raws = scan_infer_request(data)
        is_short = len(head_bytes) <= LARGEST_REMEMBERED
        head = self._heads(head_bytes) if is_short else InferHead(head_bytes)
        with self._metrics.request(_INFER, head.model) as answered:
            plan = head.plan
            result = self._served.infer(
                InferRequest(
                    head.model,
                    head.read_inputs(raws, self._extensions),
                    plan.version,
                    plan.outputs,
                    deadline_within(plan.timeout_us, call_deadline),
                    plan.stream_id,
                    plan.priority,
                    on_abandoned,
                    peer,
                )
            )
            answered.model, answered.version = result.model, result.version
            return write_answer(result, request_id, plan.special_outputs, self._extensions)


def write_answer(
    result: InferResult,
    request_id: bytes,
    special: Mapping[str, pb.ModelInferRequest.InferRequestedOutputTensor],
    extensions: TensorExtensions,
) -> list[Buffer]:
    """Encode the outputs: raw contents, or as their parameters say."""
    if not special:
        return infer_answer(result.model, result.version, result.outputs, request_id)
    response = pb.ModelInferResponse(
        model_name=result.model, model_version=str(result.version), id=request_id.decode()
    )
    for name, array in result.outputs.items():
        output = response.outputs.add(
            name=name, datatype=datatype_of(array, name), shape=array.shape
        )
        if name in special:
            raw = extensions.write_output(special[name], result, output)
        else:
            raw = encode_raw(array)
        response.raw_output_contents.append(raw)  # one for each output, empty where in a region
    return [response.SerializeToString()]


def error_in_stream(data: Data, text: str) -> bytes:
    """Write the ModelStreamInferResponse of a request that failed; it names what it can."""
    response = pb.ModelStreamInferResponse(error_message=text)
    try:
        scan = scan_infer_request(data)
        response.infer_response.id = scan.request_id.decode()
        response.infer_response.model_name = parse_infer_head(scan.head).model_name
    except InvalidTensor:
        response.infer_response.SetInParent()
    return response.SerializeToString()


def _raw_tensors(
    items: Sequence[pb.ModelInferRequest.InferInputTensor],
) -> tuple[tuple[str, RawTensor], ...]:
    names = [item.name for item in items]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidTensor(f"Invalid number of inputs - input name sent twice: {twice}")
    if any(REGION in item.parameters or item.contents.ListFields() for item in items):
        return ()
    return tuple(
        (item.name, RawTensor(item.name, get_datatype(item.datatype, item.name), item.shape))
        for item in items
    )


def _read_mixed(
    items: Sequence[pb.ModelInferRequest.InferInputTensor],
    raws: Sequence[memoryview],
    extensions: TensorExtensions,
) -> Tensors:
    in_message = [item for item in items if REGION not in item.parameters]
    if raws:
        _check_raws(in_message, len(raws))
    unread = iter(raws)
    inputs: Tensors = {}
    for item in items:
        if REGION in item.parameters:
            inputs[item.name] = extensions.read_input(item)
        elif raws:
            inputs[item.name] = decode_raw(next(unread), item.datatype, item.shape, item.name)
        else:
            inputs[item.name] = decode_contents(item)
    return inputs


def _check_raws(items: Sequence[pb.ModelInferRequest.InferInputTensor], raw_count: int) -> None:
    if any(item.contents.ListFields() for item in items):
        raise InvalidTensor(
            "Passing buffers both in ModelInferRequest::InferInputTensor::contents and in "
            "ModelInferRequest::raw_input_contents is not allowed"
        )
    if len(items) != raw_count:
        raise InvalidTensor(
            f"Invalid number of raw_input_contents - Expected: {len(items)}; Actual: {raw_count}"
        )


def _special(output: pb.ModelInferRequest.InferRequestedOutputTensor) -> bool:
    return REGION in output.parameters or CLASSIFICATION in output.parameters


def plain_parameters(parameters: Any) -> dict[str, Any]:
    """Take the values out of InferParameters."""
    chosen = {key: value.WhichOneof("parameter_choice") for key, value in parameters.items()}
    return {key: getattr(parameters[key], field) for key, field in chosen.items() if field}
