"""What `camfleet doctor` makes of ports that are taken, when no `camfleet up` runs here."""

import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from camfleet.cli.checks.finding import Finding
from camfleet.cli.checks.fleet import check_ports
from camfleet_contracts.keys import KeyStore
from camfleet_contracts.settings import FleetSettings, read_settings
from running_app import RunningApp, running_app


@pytest.fixture
def app(tmp_path: Path) -> Iterator[RunningApp]:
    folder = tmp_path / "running"
    folder.mkdir()
    with running_app(folder) as running:
        yield running


def ports_beside(page: int, state: Path) -> FleetSettings:
    """Settings of a fleet whose other ports are any, so that only the page's can be taken."""
    return read_settings(
        state_dir=state,
        streamer_port=page,
        rtsp_port=0,
        capture_http_port=0,
        grpc_port=0,
        rest_port=0,
        jupyter_port=0,
    )


def port_of(app: RunningApp) -> int:
    return urlsplit(app.address).port or 0


def test_the_ports_of_the_fleet_in_containers_are_its_own(app: RunningApp) -> None:
    app.keys.ensure()
    (finding,) = check_ports(ports_beside(port_of(app), app.settings.state_dir))
    assert finding.verdict == "ok"
    assert finding.text.endswith("are those of the running fleet")


def test_another_fleet_on_this_machine_is_named_with_the_way_out(
    app: RunningApp, tmp_path: Path
) -> None:
    KeyStore(tmp_path / "keys.json").ensure()
    (finding,) = check_ports(ports_beside(port_of(app), tmp_path))
    assert finding.verdict == "bad"
    assert f"another fleet answers at {app.address}/v1/status" in finding.text
    assert "STREAMER_PORT" in finding.text


def test_a_port_that_something_else_holds_is_a_note(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        number = listener.getsockname()[1]
        (finding,) = check_ports(ports_beside(number, tmp_path))
    assert finding[:2] == (f"port {number}", "note")
    assert isinstance(finding, Finding)
