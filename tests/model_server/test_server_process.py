"""The server as users start it: `camfleet-server` with OVMS's options."""

import json
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import grpc
import psutil
import pytest

from camfleet_server.__main__ import main
from free_ports import has_ipv6
from model_volume import Volume
from processes import BIN, Service, running
from waiting import wait_until


@pytest.fixture
def volume(tmp_path: Path) -> Volume:
    return Volume.of_adder(tmp_path)


def _command(volume: Volume, *more: str) -> list[str]:
    ports = ["--port", "auto", "--rest_port", "auto"]
    cache = ["--cache_dir", str(volume.root / ".cache")]
    return ["camfleet-server", "--config_path", str(volume.config_path), *ports, *cache, *more]


def _rest_address(server: Service) -> str:
    return "http://" + server.logged(r"rest=(\S+)").group(1)


def _get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=60) as answer:
        return json.load(answer)


def test_serves_what_config_json_names_and_ends_on_sigterm(volume: Volume) -> None:
    with running(*_command(volume)) as server:
        server.logged("version available model=adder version=1")
        server.logged("Started model manager thread")
        states = _get(f"{_rest_address(server)}/v1/config")["adder"]["model_version_status"]
        assert [(s["version"], s["state"]) for s in states] == [("1", "AVAILABLE")]
        assert server.stop() == 0


def test_one_model_is_served_without_config_json(volume: Volume) -> None:
    model = ["--model_name", "plus", "--model_path", str(volume.root / "adder")]
    ports = ["--port", "auto", "--rest_port", "0", "--cache_dir", str(volume.root / ".cache")]
    with running("camfleet-server", *model, *ports) as server:
        server.logged("version available model=plus version=1")
        assert "rest=" not in server.log()


def test_a_start_that_fails_while_a_model_loads_says_why_and_ends_with_1() -> None:
    script = """
import contextlib, sys
from unittest.mock import Mock
from camfleet_server.__main__ import _stop_loading

with contextlib.ExitStack() as running:
    running.callback(_stop_loading, Mock(is_stuck=True))
    sys.exit("camfleet-server: gRPC cannot listen")
"""
    command = [sys.executable, "-c", script]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert ended.returncode == 1
    assert ended.stderr.endswith("camfleet-server: gRPC cannot listen\n")


def test_a_taken_port_is_named_with_the_way_out(volume: Volume) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with running(*_command(volume), "--rest_port", port) as server:
            assert server.process.wait(60) == 1
            server.logged(f"{port}.*--rest_port")
            assert "Traceback" not in server.log()


def test_tls_is_for_addresses_beyond_loopback_and_bad_files_are_named(volume: Volume) -> None:
    env = {"CAMFLEET_TLS_CERT": "missing.pem", "CAMFLEET_TLS_KEY": "missing.pem"}
    env["CAMFLEET_STATE"] = str(volume.root / "state")
    with running(*_command(volume), env=env) as server:
        assert _get(f"{_rest_address(server)}/v2")["name"] == "camfleet"
    with running(*_command(volume), "--rest_bind_address", "0.0.0.0", env=env) as server:
        assert server.process.wait(60) == 1
        server.logged("TLS cannot use missing.pem.*CAMFLEET_TLS_CERT")
        assert "Traceback" not in server.log()


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT], ids=["killed", "interrupted"])
def test_no_process_outlives_the_server(volume: Volume, end: signal.Signals) -> None:
    with running(*_command(volume)) as server:
        server.logged("version available")
        children = wait_until(
            lambda: psutil.Process(server.process.pid).children(recursive=True), 60, "the probe"
        )
        server.process.send_signal(end)
        server.process.wait(60)
        _, alive = psutil.wait_procs(children, timeout=60)
        assert not alive


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6 address")
def test_log_writes_addresses_as_clients_take_them(volume: Volume) -> None:
    hosts = ("--rest_bind_address", "::1", "--grpc_bind_address", "localhost")
    with running(*_command(volume), *hosts) as server:
        told = server.logged(r"listening grpc=localhost:\d+ rest=(\[::1\]:\d+)").group(1)
        assert _get(f"http://{told}/v2")["name"] == "camfleet"


def test_log_says_where_it_listens(volume: Volume) -> None:
    with running(*_command(volume)) as server:
        line = server.logged(r"listening grpc=127\.0\.0\.1:\d+ rest=127\.0\.0\.1:\d+").group(0)
        assert len(set(re.findall(r":(\d+)", line))) == 2


def test_ovms_says_how_to_stay_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["ovms", "--config_path", "/config.json", "--port", "9000"])
    with pytest.raises(SystemExit, match=r"on 0\.0\.0\.0: .*--grpc_bind_address 127\.0\.0\.1"):
        main()


def test_a_link_named_ovms_is_driven_as_ovms_is(volume: Volume, tmp_path: Path) -> None:
    link, log = tmp_path / "ovms", tmp_path / "ovms.log"
    link.symlink_to(BIN / "camfleet-server")
    config = ["--config_path", str(volume.config_path), "--log_path", str(log)]
    ports = ["--port", "auto", "--rest_port", "auto", "--grpc_socket_path", str(tmp_path / "sock")]
    with running(str(link), *config, *ports, env={"BIND_ADDRESS": "127.0.0.1"}) as server:
        server.logged("Started model manager thread")
        server.logged("version available model=adder version=1")
        assert _get(f"{_rest_address(server)}/v2")["name"] == "OpenVINO Model Server"
        channel = grpc.insecure_channel(f"unix:{tmp_path / 'sock'}")
        grpc.channel_ready_future(channel).result(timeout=60)
        channel.close()
        assert server.stop() == 0
    assert "Started model manager thread" in log.read_text()
