"""What commands ask the page of this machine while it speaks TLS with a certificate of its own."""

import json
import ssl
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from camfleet.cli.advice.fleet_costs import Watch
from camfleet.cli.checks.fleet import check_ports
from camfleet.cli.checks.sinks import check_sinks
from camfleet_contracts.keys import KeyStore
from camfleet_contracts.settings import FleetSettings, read_settings
from self_signed import self_signed
from serving_thread import in_thread

SINK = {"name": "mqtt", "state": "connected", "reason": None}
STATUS = {"cameras": [], "sinks": [{**SINK, "queued": 0, "delivered": 7, "dropped": 0}]}
ANSWERS = {"/v1/status": STATUS, "/v1/cameras": {"cameras": []}}


class Page(BaseHTTPRequestHandler):
    """Knows what the commands ask; has no figures."""

    def do_GET(self) -> None:
        text = "" if self.path == "/metrics" else json.dumps(ANSWERS[self.path])
        self.send_response(200)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[FleetSettings]:
    """Those of a fleet that listens everywhere, with a certificate that nobody vouches for."""
    files = self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.cert, files.key)
    KeyStore(tmp_path / "keys.json").ensure()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    with in_thread(server):
        yield read_settings(
            state_dir=tmp_path,
            bind_address="0.0.0.0",
            streamer_port=server.server_port,
            tls_cert=files.cert,
            tls_key=files.key,
        )


def test_doctor_tells_the_sinks(settings: FleetSettings) -> None:
    assert [(one.check, one.verdict) for one in check_sinks(settings)] == [("sink mqtt", "ok")]


def test_doctor_knows_the_ports_of_the_fleet(settings: FleetSettings) -> None:
    (finding,) = check_ports(settings)
    assert finding.text.endswith("are those of the running fleet")


def test_advice_reads_what_cameras_cost(settings: FleetSettings) -> None:
    assert Watch(settings).costs().cameras == ()
