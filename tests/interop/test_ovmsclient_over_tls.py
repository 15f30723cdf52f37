"""ovmsclient against a server that asks for TLS and a key, as docs/protocols.md tells."""

import ipaddress
from collections.abc import Iterator
from pathlib import Path

import grpc
import numpy as np
import ovmsclient
import pytest
from ovmsclient.tfs_compat.base.errors import ModelServerError
from ovmsclient.tfs_compat.grpc.serving_client import GrpcClient
from ovmsclient.tfs_compat.protos.tensorflow_serving.apis import (
    model_service_pb2_grpc,
    prediction_service_pb2_grpc,
)

from camfleet_contracts.keys import KeyStore
from camfleet_server.metrics import ServerMetrics
from camfleet_server.transports.grpc.admission import Admission
from camfleet_server.transports.grpc.server import GrpcServer
from camfleet_server.transports.rest.app import build_app, guarded
from camfleet_server.transports.rest.server import RestServer
from fakes_model_server import FakeDataPlane
from self_signed import self_signed

pytestmark = pytest.mark.interop

IMAGE = {"image": np.zeros((1, 3, 2, 4), np.float32)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tls")


@pytest.fixture(scope="module")
def key(folder: Path) -> str:
    store = KeyStore(folder / "keys.json")
    store.ensure()
    return store.add("laptop", "viewer")


def serving(folder: Path, admission: Admission | None) -> Iterator[str]:
    server = GrpcServer(FakeDataPlane(), ServerMetrics(), admission=admission)
    port = server.bind("127.0.0.1", 0, self_signed(folder))
    server.start()
    yield f"localhost:{port}"
    server.stop(0)


@pytest.fixture(scope="module")
def open_server(folder: Path) -> Iterator[str]:
    yield from serving(folder, None)


@pytest.fixture(scope="module")
def guarded_server(folder: Path, key: str) -> Iterator[str]:
    assert key
    yield from serving(folder, Admission(KeyStore(folder / "keys.json")))


def client_with_key(url: str, certificate: bytes, key: str) -> GrpcClient:
    credentials = grpc.composite_channel_credentials(
        grpc.ssl_channel_credentials(certificate), grpc.access_token_call_credentials(key)
    )
    channel = grpc.secure_channel(url, credentials)
    return GrpcClient(
        channel,
        prediction_service_pb2_grpc.PredictionServiceStub(channel),
        model_service_pb2_grpc.ModelServiceStub(channel),
    )


def test_tls_config_names_the_certificate(open_server: str, folder: Path) -> None:
    tls = {"server_cert_path": str(folder / "cert.pem")}
    client = ovmsclient.make_grpc_client(open_server, tls_config=tls)
    np.testing.assert_array_equal(client.predict(IMAGE, "increment"), IMAGE["image"] + 1)


def test_without_the_certificate_nothing_is_said(open_server: str) -> None:
    with pytest.raises(ConnectionError):
        ovmsclient.make_grpc_client(open_server).predict(IMAGE, "increment", timeout=2)


def test_a_key_goes_with_the_channel(guarded_server: str, folder: Path, key: str) -> None:
    client = client_with_key(guarded_server, (folder / "cert.pem").read_bytes(), key)
    np.testing.assert_array_equal(client.predict(IMAGE, "increment"), IMAGE["image"] + 1)
    assert client.get_model_status("increment")[2]["state"] == "AVAILABLE"


def test_without_a_key_the_way_to_one_is_told(guarded_server: str, folder: Path) -> None:
    tls = {"server_cert_path": str(folder / "cert.pem")}
    client = ovmsclient.make_grpc_client(guarded_server, tls_config=tls)
    with pytest.raises(ConnectionError, match="camfleet key add"):
        client.get_model_status("increment")


def test_over_http_the_key_goes_with_the_session(folder: Path, key: str) -> None:
    keys, networks = KeyStore(folder / "keys.json"), (ipaddress.ip_network("127.0.0.0/8"),)
    app = build_app(FakeDataPlane(), ServerMetrics())
    server = RestServer(guarded(app, keys, networks))
    port = server.bind("127.0.0.1", 0)
    server.start()
    client = ovmsclient.make_http_client(f"127.0.0.1:{port}")
    client.session.trust_env = False
    with pytest.raises(ModelServerError, match="a key is needed"):
        client.get_model_status("increment")
    client.session.headers["authorization"] = f"Bearer {key}"
    assert client.get_model_status("increment")[2]["state"] == "AVAILABLE"
    client.session.close()
    server.stop()
