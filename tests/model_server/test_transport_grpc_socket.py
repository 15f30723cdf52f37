"""The gRPC server on a unix socket: clients, the file's mode, and files left by others."""

import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import numpy as np
import pytest
import tritonclient.grpc as triton

from camfleet_contracts.protocols import inference_pb2
from camfleet_contracts.protocols import serving_pb2 as pb
from camfleet_contracts.tensors import decode_tensor_proto, encode_tensor_proto
from camfleet_server.metrics import ServerMetrics
from camfleet_server.transports.grpc.server import GrpcServer
from camfleet_server.transports.listening import PortTaken
from fakes_model_server import FakeDataPlane
from transport_callers import GrpcCaller

IMAGE = np.zeros((1, 3, 2, 4), np.float32)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "acap-runtime.sock"


@contextmanager
def serving_unix(path: Path) -> Iterator[GrpcServer]:
    server = GrpcServer(FakeDataPlane(), ServerMetrics())
    server.bind_unix(path)
    server.start()
    try:
        yield server
    finally:
        server.stop(0)


@contextmanager
def calling(path: Path) -> Iterator[GrpcCaller]:
    with grpc.insecure_channel(f"unix:{path}") as channel:
        yield GrpcCaller(FakeDataPlane(), 0, channel, ServerMetrics())


def is_live(path: Path) -> bool:
    with calling(path) as caller:
        return bool(caller.kserve("ServerLive", inference_pb2.ServerLiveRequest()).live)


def test_predict_as_the_clients_of_axis_cameras_call_it(path: Path) -> None:
    request = pb.PredictRequest(model_spec=pb.ModelSpec(name="increment"))
    request.inputs["image"].CopyFrom(encode_tensor_proto(IMAGE))
    with serving_unix(path), calling(path) as caller:
        response = caller.predict(request)
    np.testing.assert_array_equal(decode_tensor_proto(response.outputs["sum"], "sum"), IMAGE + 1)


def test_tritonclient_infers_over_the_socket(path: Path) -> None:
    image = triton.InferInput("image", list(IMAGE.shape), "FP32")
    image.set_data_from_numpy(IMAGE)
    with serving_unix(path), triton.InferenceServerClient(f"unix:{path}") as client:
        result = client.infer("increment", [image], request_id="7")
    np.testing.assert_array_equal(result.as_numpy("sum"), IMAGE + 1)


def test_the_socket_is_its_user_s_alone_and_goes_with_the_server(path: Path) -> None:
    with serving_unix(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert list(path.parent.iterdir()) == [path]
    assert not path.exists()


def test_a_socket_nobody_answers_on_is_replaced(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    with serving_unix(path):
        assert is_live(path)


def test_the_socket_of_a_living_server_is_not_taken(path: Path) -> None:
    with serving_unix(path):
        second = GrpcServer(FakeDataPlane(), ServerMetrics())
        with pytest.raises(PortTaken, match=r"another server listens there.*--grpc_socket_path"):
            second.bind_unix(path)
        second.stop(0)
        assert is_live(path)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("file", "and no socket"),
        ("missing/s", "No such file or directory"),
        ("s" * 100, r"a unix socket's path has 107 bytes, not \d+; .*--grpc_socket_path"),
    ],
    ids=["a file", "no folder", "too long"],
)
def test_a_path_that_cannot_be_a_socket_is_refused(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "file").write_text("precious")
    server = GrpcServer(FakeDataPlane(), ServerMetrics())
    with pytest.raises(PortTaken, match=reason):
        server.bind_unix(tmp_path / name)
    server.stop(0)
    assert (tmp_path / "file").read_text() == "precious"


def test_a_socket_put_there_by_a_later_server_is_left_to_it(path: Path) -> None:
    with serving_unix(path):
        path.unlink()
        path.write_text("somebody else's")
    assert path.exists()
