"""Pictures in every protocol's way of sending bytes, and both kinds of request at the same time."""

import base64
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import httpx
import numpy as np
import pytest
from numpy.typing import NDArray

from camfleet_contracts.protocols import inference_pb2, serving_pb2, tensorflow_pb2
from camfleet_contracts.tensors import decode_tensor_proto
from camfleet_contracts.volume import publish_version
from camfleet_server.metrics import ServerMetrics
from camfleet_server.transports.grpc.server import GrpcServer
from camfleet_server.transports.rest.app import build_app
from camfleet_server.transports.rest.server import RestServer
from model_volume import Volume, running_core
from picture_models import jpeg, png, png_claiming, save_echo, scene

PICTURE = scene(24, 16)
PNG = png(PICTURE)
GRAY = png(PICTURE[..., 0])
B64 = {"b64": base64.b64encode(PNG).decode()}
SEEN = PICTURE.transpose(2, 0, 1).astype(np.float32) * 2
MANIFEST = {"preprocess": {"colour": "BGR", "scale": 2}}
PREDICT, INFER = "/v1/models/echo:predict", "/v2/models/echo/infer"


@dataclass
class Server:
    """Both transports in front of a real core that serves `echo` (FP32 [N, 3, 16, 24])."""

    channel: grpc.Channel
    http: httpx.Client

    def predict(
        self, inputs: dict[str, tensorflow_pb2.TensorProto], model: str = "echo"
    ) -> NDArray[Any]:
        request = serving_pb2.PredictRequest(inputs=inputs)
        request.model_spec.name = model
        call = self.channel.unary_unary(
            "/tensorflow.serving.PredictionService/Predict",
            serving_pb2.PredictRequest.SerializeToString,
            serving_pb2.PredictResponse.FromString,
        )
        return decode_tensor_proto(call(request, timeout=30).outputs["seen"], "seen")

    def infer(self, raw: bytes = b"", model: str = "echo", **tensor: Any) -> NDArray[Any]:
        request = inference_pb2.ModelInferRequest(model_name=model)
        request.inputs.add(name="image", **tensor)
        request.raw_input_contents.extend([raw] if raw else [])
        call = self.channel.unary_unary(
            "/inference.GRPCInferenceService/ModelInfer",
            inference_pb2.ModelInferRequest.SerializeToString,
            inference_pb2.ModelInferResponse.FromString,
        )
        response = call(request, timeout=30)
        raw_output = response.raw_output_contents[0]
        return np.frombuffer(raw_output, np.float32).reshape(response.outputs[0].shape)

    def post(self, path: str, **content: Any) -> Any:
        response = self.http.post(path, **content)
        assert response.status_code == 200, response.text
        return response.json()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    volume = Volume(tmp_path_factory.mktemp("pictures"))
    publish_version(volume.root, "echo", 1, fill_echo)
    publish_version(volume.root, "as-ovms", 1, lambda to: save_echo(to, [-1, -1, -1, 3]))
    publish_version(volume.root, "nchw", 1, lambda to: save_echo(to, [1, 3, 16, 24]))
    for name in ("echo", "as-ovms", "nchw"):
        volume.serve(name)
    metrics = ServerMetrics()
    with running_core(volume) as core:
        for name in volume.models:
            core.wait_for(name, 1)
        grpc_server = GrpcServer(core.plane, metrics)
        rest_server = RestServer(build_app(core.plane, metrics))
        address = f"127.0.0.1:{grpc_server.bind('127.0.0.1', 0)}"
        url = f"http://127.0.0.1:{rest_server.bind('127.0.0.1', 0)}"
        grpc_server.start()
        rest_server.start()
        with (
            grpc.insecure_channel(address) as channel,
            httpx.Client(base_url=url, trust_env=False, timeout=30) as http,
        ):
            yield Server(channel, http)
        rest_server.stop()
        grpc_server.stop(0)


def fill_echo(folder: Path) -> None:
    save_echo(folder, [-1, 3, 16, 24])
    (folder / "model.json").write_text(json.dumps(MANIFEST))


def string_tensor(*values: bytes, shape: tuple[int, ...]) -> tensorflow_pb2.TensorProto:
    proto = tensorflow_pb2.TensorProto(dtype=tensorflow_pb2.DT_STRING, string_val=values)
    for size in shape:
        proto.tensor_shape.dim.add(size=size)
    return proto


def prefixed(*values: bytes) -> bytes:
    return b"".join(len(value).to_bytes(4, "little") + value for value in values)


@pytest.mark.parametrize(
    ("values", "shape"), [([PNG], ()), ([PNG], (1,)), ([PNG, PNG], (2,))], ids=["one", "[1]", "[2]"]
)
def test_tensorflow_serving_sends_strings(
    server: Server, values: list[bytes], shape: tuple[int, ...]
) -> None:
    seen = server.predict({"image": string_tensor(*values, shape=shape)})
    np.testing.assert_array_equal(seen, np.stack([SEEN] * len(values)))


@pytest.mark.parametrize(
    ("body", "key"),
    [
        ({"instances": [B64, B64]}, "predictions"),
        ({"instances": [{"image": B64}]}, "predictions"),
        ({"inputs": [B64]}, "outputs"),
        ({"inputs": B64}, "outputs"),
        ({"inputs": {"image": [B64, B64, B64]}}, "outputs"),
        ({"inputs": {"image": B64}}, "outputs"),
    ],
    ids=["rows", "named rows", "column", "one", "named column", "named one"],
)
def test_tensorflow_serving_s_rest_sends_base64(
    server: Server, body: dict[str, Any], key: str
) -> None:
    for seen in server.post(PREDICT, json=body)[key]:
        np.testing.assert_array_equal(seen, SEEN)


@pytest.mark.parametrize("count", [1, 3])
def test_kserve_sends_raw_and_typed_bytes(server: Server, count: int) -> None:
    tensor: dict[str, Any] = {"datatype": "BYTES", "shape": [count]}
    raw = server.infer(prefixed(*[PNG] * count), **tensor)
    typed = server.infer(contents={"bytes_contents": [PNG] * count}, **tensor)
    np.testing.assert_array_equal(raw, np.stack([SEEN] * count))
    np.testing.assert_array_equal(typed, raw)


def test_kserve_sends_pixels_of_any_size(server: Server) -> None:
    large = scene(60, 40)
    seen = server.infer(large.tobytes(), datatype="UINT8", shape=[1, 40, 60, 3])
    assert seen.shape == (1, 3, 16, 24)
    same = server.infer(PICTURE.tobytes(), datatype="UINT8", shape=[1, 16, 24, 3])
    np.testing.assert_array_equal(same[0], SEEN)


def test_kserve_s_rest_sends_base64_and_binary(server: Server) -> None:
    item: dict[str, Any] = {"name": "image", "datatype": "BYTES", "shape": [1]}
    in_json = server.post(INFER, json={"inputs": [item | {"data": [B64]}]})
    raw = prefixed(PNG)
    head = json.dumps({"inputs": [item | {"parameters": {"binary_data_size": len(raw)}}]}).encode()
    headers = {"Inference-Header-Content-Length": str(len(head))}
    binary = server.post(INFER, content=head + raw, headers=headers)
    np.testing.assert_array_equal(in_json["outputs"][0]["data"], SEEN.reshape(-1))
    assert binary["outputs"] == in_json["outputs"]


def refused_by_tfs_grpc(server: Server, model: str, values: list[bytes]) -> tuple[str, str]:
    with pytest.raises(grpc.RpcError) as refused:
        server.predict({"image": string_tensor(*values, shape=(len(values),))}, model)
    return refused.value.code().name, refused.value.details()


def refused_by_kserve_grpc(server: Server, model: str, values: list[bytes]) -> tuple[str, str]:
    with pytest.raises(grpc.RpcError) as refused:
        server.infer(prefixed(*values), model, datatype="BYTES", shape=[len(values)])
    return refused.value.code().name, refused.value.details()


def refused_by_tfs_rest(server: Server, model: str, values: list[bytes]) -> tuple[str, str]:
    rows = [{"b64": base64.b64encode(value).decode()} for value in values]
    response = server.http.post(f"/v1/models/{model}:predict", json={"instances": rows})
    return str(response.status_code), response.json()["error"]


def refused_by_kserve_rest(server: Server, model: str, values: list[bytes]) -> tuple[str, str]:
    data = [{"b64": base64.b64encode(value).decode()} for value in values]
    tensor = {"name": "image", "datatype": "BYTES", "shape": [len(values)], "data": data}
    response = server.http.post(f"/v2/models/{model}/infer", json={"inputs": [tensor]})
    return str(response.status_code), response.json()["error"]


@pytest.mark.parametrize(
    ("refused", "code"),
    [
        (refused_by_tfs_grpc, "INVALID_ARGUMENT"),
        (refused_by_kserve_grpc, "INVALID_ARGUMENT"),
        (refused_by_tfs_rest, "400"),
        (refused_by_kserve_rest, "400"),
    ],
    ids=["tfs grpc", "kserve grpc", "tfs rest", "kserve rest"],
)
@pytest.mark.parametrize(
    ("model", "values", "text"),
    [
        ("echo", [b"no picture"], "Image parsing failed - only JPEG and PNG are taken"),
        ("echo", [PNG[:-40]], "Image parsing failed - the PNG of 24x16 pixels is cut off"),
        ("echo", [png_claiming(60_000, 60_000)], "60000x60000 pixels are more than the 64000000"),
        ("as-ovms", [b"no picture"], "Image parsing failed - only JPEG and PNG are taken"),
        ("as-ovms", [GRAY], "Invalid number of channels in binary input - Expected: 3; Actual: 1"),
        ("as-ovms", [PNG, png(scene(8, 8))], "images for this endpoint are required to have the"),
        ("nchw", [PNG], "input but resource not configured to accept NHWC layout - the input has"),
        ("nchw", [PNG, PNG], "input but resource not configured to accept NHWC layout - the input"),
    ],
    ids=["text", "cut", "bomb", "ovms text", "channels", "mixed sizes", "not nhwc", "two not nhwc"],
)
def test_bad_pictures_are_the_client_s_fault_in_every_protocol(
    server: Server,
    refused: Callable[[Server, str, list[bytes]], tuple[str, str]],
    code: str,
    model: str,
    values: list[bytes],
    text: str,
) -> None:
    answered, said = refused(server, model, values)
    assert answered == code
    assert text in said
    assert said.endswith("input name: image")


def test_metadata_keeps_the_file_s_own_tensor_and_the_manifest_tells_of_pictures(
    server: Server,
) -> None:
    metadata = server.http.get("/v2/models/echo").json()
    image = {"name": "image", "datatype": "FP32", "shape": [-1, 3, 16, 24]}
    assert metadata["inputs"][0].items() >= image.items()
    manifest = server.http.get("/v1/models/echo/manifest").json()
    assert manifest["preprocess"]["colour"] == "BGR"
    assert "camfleet_images" in server.http.get("/v2").json()["extensions"]


def test_both_kinds_of_request_run_mixed(server: Server) -> None:
    own = np.random.default_rng(1).random((2, 3, 16, 24), np.float32)
    larger = jpeg(scene(640, 480))
    expected = server.infer(prefixed(larger), datatype="BYTES", shape=[1])

    def tensor(_: int) -> bool:
        seen = server.infer(own.tobytes(), datatype="FP32", shape=own.shape)
        return np.array_equal(seen, own)

    def picture(_: int) -> bool:
        seen = server.infer(prefixed(larger), datatype="BYTES", shape=[1])
        return np.array_equal(seen, expected)

    def pixels(_: int) -> bool:
        return np.array_equal(
            server.infer(PICTURE.tobytes(), datatype="UINT8", shape=[1, 16, 24, 3])[0], SEEN
        )

    with ThreadPoolExecutor(6) as pool:
        answers = [pool.map(kind, range(40)) for kind in (tensor, picture, pixels, tensor)]
        assert all(all(kind) for kind in answers)
