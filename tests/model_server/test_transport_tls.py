"""Both ports under TLS, with and without client certificates."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import httpx
import pytest

from camfleet_contracts.protocols import inference_pb2 as pb
from camfleet_server.metrics import ServerMetrics
from camfleet_server.transports.grpc.server import GrpcServer
from camfleet_server.transports.listening import BadTlsFiles, TlsFiles
from camfleet_server.transports.rest.app import build_app
from camfleet_server.transports.rest.server import RestServer
from fakes_model_server import FakeDataPlane
from self_signed import self_signed
from transport_callers import GrpcCaller


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> TlsFiles:
    """A certificate for localhost that signed itself, so it is its own authority."""
    return self_signed(tmp_path_factory.mktemp("tls"))


@contextmanager
def serving_grpc_tls(tls: TlsFiles) -> Iterator[int]:
    server = GrpcServer(FakeDataPlane(), ServerMetrics())
    port = server.bind("127.0.0.1", 0, tls)
    server.start()
    yield port
    server.stop(0)


@contextmanager
def serving_rest_tls(tls: TlsFiles) -> Iterator[str]:
    server = RestServer(build_app(FakeDataPlane(), ServerMetrics()))
    port = server.bind("127.0.0.1", 0, tls)
    server.start()
    yield f"https://localhost:{port}"
    server.stop()


def is_live(port: int, credentials: grpc.ChannelCredentials) -> bool:
    with grpc.secure_channel(f"localhost:{port}", credentials) as channel:
        caller = GrpcCaller(FakeDataPlane(), port, channel, ServerMetrics())
        return bool(caller.kserve("ServerLive", pb.ServerLiveRequest()).live)


def test_tls_files_are_read_before_anything_listens(files: TlsFiles) -> None:
    files.check()
    for wrong in (files.cert, files.cert.with_name("missing.pem")):
        with pytest.raises(BadTlsFiles, match=f"{wrong}.*CAMFLEET_TLS_KEY"):
            TlsFiles(files.cert, wrong).check()


def test_grpc_speaks_tls(files: TlsFiles) -> None:
    with serving_grpc_tls(files) as port:
        assert is_live(port, grpc.ssl_channel_credentials(files.cert.read_bytes()))


def test_a_renewed_certificate_is_used_without_a_restart(tmp_path: Path) -> None:
    files = self_signed(tmp_path)
    with serving_grpc_tls(files) as grpc_port, serving_rest_tls(files) as url:
        ports = (grpc_port, int(url.rpartition(":")[2]))
        for _ in range(2):
            shown = [ssl.get_server_certificate(("127.0.0.1", port)) for port in ports]
            assert shown == [files.cert.read_text()] * 2
            self_signed(tmp_path)
        assert is_live(grpc_port, grpc.ssl_channel_credentials(files.cert.read_bytes()))


def test_a_certificate_that_cannot_be_used_leaves_the_one_before(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files = self_signed(tmp_path)
    before = files.cert.read_text()
    with serving_grpc_tls(files) as port:
        files.cert.write_text("half a certif")
        for _ in range(2):
            assert ssl.get_server_certificate(("127.0.0.1", port)) == before
    assert caplog.text.count("certificate not reloaded") == 1


def test_rest_speaks_tls(files: TlsFiles) -> None:
    context = ssl.create_default_context(cafile=files.cert)
    with serving_rest_tls(files) as url:
        answer = httpx.get(f"{url}/healthz", verify=context, trust_env=False, timeout=60)
        assert answer.text == "ok"
