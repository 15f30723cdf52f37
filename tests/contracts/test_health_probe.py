import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


class _Health(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/readyz" else 503)
        self.end_headers()
        self.wfile.write(b"model m: loading")

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Health)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def probe(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "camfleet_contracts.probe", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)


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
