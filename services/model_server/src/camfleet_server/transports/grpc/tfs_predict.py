"""TensorFlow Serving's Predict, from the bytes of a request to the bytes of its answer."""

from collections.abc import Callable
from functools import cached_property
from typing import Any

from camfleet_contracts.protocols import tensorflow_pb2
from camfleet_contracts.tensors import RawTensor, decode_tensor_proto, raw_tensor_of
from camfleet_contracts.wire import (
    LARGEST_REMEMBERED,
    Data,
    Remembered,
    parse_predict_head,
    scan_predict_request,
)
from camfleet_contracts.wire_answers import Buffer, predict_answer
from camfleet_server.answer import Call
from camfleet_server.metrics import ServerMetrics
from camfleet_server.transports.served import Inference
from camfleet_server.types import InferRequest, OnAbandoned, Tensors

_PREDICT = Call("TensorFlowServing", "gRPC", "Predict")

ReadSpec = Callable[[Any], tuple[str, int | None]]
"""Tells name and version a message with a `model_spec` asks for."""


class PredictHead:
    """What is the same in all requests of one client; shared between threads, never changed."""

    def __init__(self, head: tuple[bytes, ...]) -> None:
        self._message, self._tensors = parse_predict_head(head)
        self.model = self._message.model_spec.name
        self.outputs = tuple(self._message.output_filter)
        self._spec: tuple[str, int | None] | None = None

    def spec(self, read_spec: ReadSpec) -> tuple[str, int | None]:
        """Tell name and version; a label is looked up anew each time."""
        spec = self._spec
        if spec is None:
            spec = read_spec(self._message)
            if not self._message.model_spec.version_label:
                self._spec = spec
        return spec

    def read_inputs(self, contents: list[memoryview | None]) -> Tensors:
        """Decode the inputs.

        Raises:
            InvalidTensor: datatype, shape and content do not fit each other.
        """
        if None in contents:
            pairs = zip(self._tensors.items(), contents, strict=True)
            return {name: _decode(tensor, name, content) for (name, tensor), content in pairs}
        # Contents and raw tensors are in the order of the message.
        return {
            name: raw.decode(content)  # type: ignore[arg-type] # none of them is None
            for (name, raw), content in zip(self._raws, contents, strict=True)
        }

    @cached_property
    def _raws(self) -> tuple[tuple[str, RawTensor], ...]:
        return tuple((name, raw_tensor_of(proto, name)) for name, proto in self._tensors.items())


class TfsInference:
    """Answers Predict."""

    def __init__(self, served: Inference, metrics: ServerMetrics, read_spec: ReadSpec) -> None:
        self._served = served
        self._metrics = metrics
        self._read_spec = read_spec
        self._heads = Remembered(PredictHead)

    def answer(
        self,
        data: Data,
        call_deadline: float | None,
        on_abandoned: OnAbandoned,
        peer: Callable[[], str],
    ) -> list[Buffer]:
        """Infer on a PredictRequest and write the PredictResponse."""
        parts, contents = scan_predict_request(data)
        is_short = sum(map(len, parts)) <= LARGEST_REMEMBERED
        head = self._heads(parts) if is_short else PredictHead(parts)
        with self._metrics.request(_PREDICT, head.model) as answered:
            model, version = head.spec(self._read_spec)
            result = self._served.infer(
                InferRequest(
                    model,
                    head.read_inputs(contents),
                    version,
                    head.outputs,
                    call_deadline,
                    on_abandoned=on_abandoned,
                    peer=peer,
                )
            )
            answered.model, answered.version = result.model, result.version
            return predict_answer(result.model, result.version, result.outputs)


def _decode(proto: tensorflow_pb2.TensorProto, name: str, content: memoryview | None) -> Any:
    if content is None:
        return decode_tensor_proto(proto, name)
    return raw_tensor_of(proto, name).decode(content)
