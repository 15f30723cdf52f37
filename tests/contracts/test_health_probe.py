import ssl
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from camfleet_contracts.probe import addresses
from serving_thread import in_thread


class _Health(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/readyz" else 503)
        self.end_headers()
        self.wfile.write(b"model m: loading")

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with in_thread(ThreadingHTTPServer(("127.0.0.1", 0), _Health)) as server:
        yield f"http://127.0.0.1:{server.server_port}"


def probe(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "camfleet_contracts.probe", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_a_well_service_passes(address: str) -> None:
    assert probe(address + "/readyz").returncode == 0


def test_a_service_that_is_not_ready_says_why(address: str) -> None:
    answer = probe(address + "/other")
    assert answer.returncode == 1
    assert "503: model m: loading" in answer.stderr


def test_a_silent_port_and_a_missing_address_are_faults() -> None:
    assert probe("http://127.0.0.1:1/readyz").returncode == 1
    assert probe().returncode == 2


def test_a_proxy_of_the_environment_is_not_asked(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert probe(address + "/readyz").returncode == 0


@pytest.fixture
def encrypted_address(tmp_path: Path) -> Iterator[str]:
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    subject = ("-subj", "/CN=box", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")
    files = ("-keyout", str(key), "-out", str(certificate))
    command = ["openssl", "req", "-x509", "-nodes", *subject, *files]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Health)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    with in_thread(server):
        yield f"http://127.0.0.1:{server.server_port}"


def test_a_service_that_speaks_tls_is_asked_by_tls(
    encrypted_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert probe(encrypted_address + "/readyz").returncode == 1
    monkeypatch.setenv("CAMFLEET_TLS_CERT", "/secrets/cert.pem")
    assert probe(encrypted_address + "/readyz").returncode == 0


HERE = "http://127.0.0.1:5000/readyz"
TLS_HERE = "https://127.0.0.1:5000/readyz"
CERTIFICATE = {"CAMFLEET_TLS_CERT": "/secrets/cert.pem"}


@pytest.mark.parametrize(
    ("environment", "asked"),
    [
        pytest.param({}, [HERE], id="loopback"),
        pytest.param({"BIND_ADDRESS": "0.0.0.0"}, [HERE], id="every network"),
        pytest.param(CERTIFICATE, [HERE, TLS_HERE], id="certificate, perhaps on loopback"),
        pytest.param(
            CERTIFICATE | {"BIND_ADDRESS": "0.0.0.0"}, [TLS_HERE, HERE], id="certificate, beyond"
        ),
        pytest.param(
            {"BIND_ADDRESS": "fd00::7"}, ["http://[fd00::7]:5000/readyz", HERE], id="one network"
        ),
    ],
)
def test_a_service_is_asked_where_its_environment_lets_it_listen(
    environment: dict[str, str], asked: list[str]
) -> None:
    assert addresses(HERE, environment) == asked
