"""A KServe v2 server on a real gRPC port whose versions the test swaps between requests."""

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent import futures
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import numpy as np
from numpy.typing import NDArray

from camfleet_contracts.protocols import inference_pb2 as pb

SERVICE = "inference.GRPCInferenceService"


@dataclass
class FakeVersion:
    """One version: its manifest, its input, and what it answers."""

    manifest: dict[str, Any] | None
    shape: tuple[int, ...]
    answer: Callable[[NDArray[Any]], dict[str, NDArray[np.float32]]]

    def takes(self, shape: Sequence[int]) -> bool:
        """Whether a tensor fits; -1 is a free dimension."""
        own = self.shape
        return len(own) == len(shape) and all(a in {-1, b} for a, b in zip(own, shape, strict=True))


@dataclass
class FakeServer:
    """Serves one model "m"; `newest` answers where no version is asked for."""

    versions: dict[int, FakeVersion] = field(default_factory=dict)
    newest: int = 1
    inferred: list[int] = field(default_factory=list)
    extensions: tuple[str, ...] = ()
    received: list[tuple[str, list[int]]] = field(default_factory=list)  # datatypes and shapes
    refusal: tuple[grpc.StatusCode, str] | None = None
    keys: list[str] = field(default_factory=list)
    asked: int = 0  # for metadata
    before_metadata: Callable[[str], None] = lambda _: None  # is given the version asked about
    before_infer: Callable[[], None] = lambda: None
    after_infer: Callable[[pb.ModelInferResponse], None] = lambda _: None  # may change the answer
    lock: threading.Lock = field(default_factory=threading.Lock)
    address: str = ""

    def live(self, _: Any, __: grpc.ServicerContext) -> Any:
        return pb.ServerLiveResponse(live=True)

    def server_metadata(self, _: Any, __: grpc.ServicerContext) -> Any:
        return pb.ServerMetadataResponse(name="fake", extensions=self.extensions)

    def metadata(self, request: Any, context: grpc.ServicerContext) -> Any:
        self.asked += 1
        self.before_metadata(request.version)
        version = self._version(request, context)
        response = pb.ModelMetadataResponse(name=request.name)
        response.versions.extend(str(number) for number in sorted(self.versions))
        response.inputs.add(name="x", datatype="FP32", shape=self.versions[version].shape)
        return response

    def config(self, request: Any, context: grpc.ServicerContext) -> Any:
        version = self.versions[self._version(request, context)]
        response = pb.ModelConfigResponse()
        response.config.name = request.name
        if version.manifest is not None:
            text = json.dumps(version.manifest)
            response.config.parameters["camfleet.manifest"].string_value = text
        return response

    def infer(self, request: Any, context: grpc.ServicerContext) -> Any:
        self.before_infer()
        number = self._version(request, context)
        version = self.versions[number]
        tensor = request.inputs[0]
        self.received.append((tensor.datatype, list(tensor.shape)))
        is_picture = tensor.datatype == "UINT8" and "camfleet_images" in self.extensions
        if not version.takes(tensor.shape) and not is_picture:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "Invalid input shape")
        self.inferred.append(number)
        kind = np.uint8 if is_picture else np.float32
        given = np.frombuffer(request.raw_input_contents[0], kind).reshape(tensor.shape)
        response = pb.ModelInferResponse(model_name=request.model_name, model_version=str(number))
        for name, values in version.answer(given).items():
            response.outputs.add(name=name, datatype="FP32", shape=values.shape)
            response.raw_output_contents.append(values.astype(np.float32).tobytes())
        self.after_infer(response)
        return response

    def _version(self, request: Any, context: grpc.ServicerContext) -> int:
        self.keys.extend(v for k, v in context.invocation_metadata() if k == "authorization")
        if self.refusal:
            context.abort(*self.refusal)
        name = getattr(request, "model_name", "") or request.name
        asked = getattr(request, "model_version", "") or getattr(request, "version", "")
        number = int(asked) if asked else self.newest
        if name != "m" or number not in self.versions:
            context.abort(grpc.StatusCode.NOT_FOUND, "Model with requested name is not found")
        return number


@contextmanager
def serving(server: FakeServer, port: int = 0) -> Iterator[FakeServer]:
    """The server listens on a free port, or on the one a former server had."""
    methods: dict[str, tuple[Any, Any]] = {
        "ServerLive": (server.live, pb.ServerLiveRequest),
        "ServerMetadata": (server.server_metadata, pb.ServerMetadataRequest),
        "ModelMetadata": (server.metadata, pb.ModelMetadataRequest),
        "ModelConfig": (server.config, pb.ModelConfigRequest),
        "ModelInfer": (server.infer, pb.ModelInferRequest),
    }
    handlers = {
        name: grpc.unary_unary_rpc_method_handler(
            call, request.FromString, lambda response: response.SerializeToString()
        )
        for name, (call, request) in methods.items()
    }
    running = grpc.server(futures.ThreadPoolExecutor(4))
    running.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
    server.address = f"127.0.0.1:{running.add_insecure_port(f'127.0.0.1:{port}')}"
    running.start()
    try:
        yield server
    finally:
        running.stop(None).wait()


def one_box(label: str, x: float) -> FakeVersion:
    """A version that finds one box beginning at `x` (0..1), as ready-made SSD."""
    row = np.array([[[[0, 0, 0.9, x, 0, x + 0.25, 1]]]], np.float32)
    manifest = {
        "id": "m",
        "labels": [label],
        "preprocess": {"layout": "NCHW"},
        "postprocess": {"decoder": "ssd-detections"},
    }
    return FakeVersion(manifest, (1, 3, 32, 32), lambda _: {"out": row})


def one_face(label: str, size: tuple[int, int]) -> FakeVersion:
    """A version of another family: other decoder, other input size, one box over the right half."""
    scores, boxes = np.array([[[0.1, 0.9]]]), np.array([[[0.5, 0, 1, 1]]])
    manifest = {
        "id": "m",
        "labels": [label],
        "preprocess": {"layout": "NCHW", "scale": 0.5},
        "postprocess": {"decoder": "ultraface"},
    }
    answer = {"scores": scores.astype(np.float32), "boxes": boxes.astype(np.float32)}
    return FakeVersion(manifest, (1, 3, size[1], size[0]), lambda _: answer)
