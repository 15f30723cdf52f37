"""A model server for tests: KServe v2 over gRPC, as the real one speaks it, on a free port."""

import json
from collections.abc import Callable, Mapping
from concurrent import futures
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self
from unittest import mock

import grpc
import numpy as np
from numpy.typing import NDArray

from camfleet.testing.fake_models import FakeModel
from camfleet_contracts.protocols import inference_pb2 as pb

_SERVICE = "inference.GRPCInferenceService"
_PICTURES = "camfleet_images"  # it takes UINT8 pictures, as our own server does


class FakeServer:
    """Serves fake models while it is entered; CAMFLEET_SERVER names it meanwhile.

    `with FakeServer({"fastestdet-coco": painted_detector(["person"])}): ...`
    """

    def __init__(self, models: Mapping[str, FakeModel]) -> None:
        """Name the models by what scripts ask for: `user/name` or `name`."""
        self.models = {name.replace("/", ".", 1): model for name, model in models.items()}
        self.is_down = False  # True: every call fails as if the server were going
        self.address = ""
        self._closing = ExitStack()

    def __enter__(self) -> Self:
        server = grpc.server(futures.ThreadPoolExecutor(4, thread_name_prefix="fake-server"))
        server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(_SERVICE, self._handlers()),)
        )
        self.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
        server.start()
        self._closing.callback(lambda: server.stop(None).wait())
        environment = {"CAMFLEET_SERVER": self.address}
        self._closing.enter_context(mock.patch.dict("os.environ", environment))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.close()

    def _handlers(self) -> dict[str, Any]:
        calls: dict[str, tuple[Callable[[Any, Any], Any], Any]] = {
            "ServerLive": (lambda *_: pb.ServerLiveResponse(live=True), pb.ServerLiveRequest),
            "ServerMetadata": (self._server, pb.ServerMetadataRequest),
            "ModelMetadata": (self._metadata, pb.ModelMetadataRequest),
            "ModelConfig": (self._config, pb.ModelConfigRequest),
            "ModelInfer": (self._infer, pb.ModelInferRequest),
        }
        return {
            name: grpc.unary_unary_rpc_method_handler(
                call, request.FromString, lambda response: response.SerializeToString()
            )
            for name, (call, request) in calls.items()
        }

    def _model(self, name: str, context: grpc.ServicerContext) -> FakeModel:
        if self.is_down:
            context.abort(grpc.StatusCode.UNAVAILABLE, "the fake server is down")
        if name not in self.models:
            context.abort(grpc.StatusCode.NOT_FOUND, "Model with requested name is not found")
        return self.models[name]

    @staticmethod
    def _server(_: Any, __: grpc.ServicerContext) -> Any:
        return pb.ServerMetadataResponse(name="fake", extensions=[_PICTURES])

    def _metadata(self, request: Any, context: grpc.ServicerContext) -> Any:
        model = self._model(request.name, context)
        answer = pb.ModelMetadataResponse(name=request.name, versions=[str(model.version)])
        answer.inputs.add(name="image", datatype="FP32", shape=model.input_shape)
        return answer

    def _config(self, request: Any, context: grpc.ServicerContext) -> Any:
        told = {"id": request.name, **self._model(request.name, context).told()}
        answer = pb.ModelConfigResponse()
        answer.config.name = request.name
        answer.config.parameters["camfleet.manifest"].string_value = json.dumps(told)
        return answer

    def _infer(self, request: Any, context: grpc.ServicerContext) -> Any:
        model = self._model(request.model_name, context)
        tensor = request.inputs[0]
        pictures = _pictures_of(tensor, request.raw_input_contents[0])
        model.asked.extend((picture.shape[1], picture.shape[0]) for picture in pictures)
        found = [model.answer(picture) for picture in pictures]
        answer = pb.ModelInferResponse(
            model_name=request.model_name, model_version=str(model.version)
        )
        for name in found[0]:
            values = np.concatenate([one[name] for one in found]).astype(np.float32)
            answer.outputs.add(name=name, datatype="FP32", shape=values.shape)
            answer.raw_output_contents.append(values.tobytes())
        return answer


def _pictures_of(tensor: Any, content: bytes) -> list[NDArray[np.uint8]]:
    """The pictures of a batch, each (H, W, 3) BGR, from pixels or from the model's own tensor."""
    shape = tuple(tensor.shape)
    if tensor.datatype == "UINT8":
        return list(np.frombuffer(content, np.uint8).reshape(shape))
    floats = np.frombuffer(content, np.float32).reshape(shape)
    return [np.ascontiguousarray(one.transpose(1, 2, 0)).astype(np.uint8) for one in floats]
