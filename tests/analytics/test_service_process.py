"""camfleet-analytics as a process: start, refusal to start, and end."""

import contextlib
import re
import socket
import sqlite3
import subprocess
import time
from pathlib import Path

import httpx
import pytest
from websockets.sync.client import connect

from camfleet_contracts.keys import KeyStore
from processes import BIN, running

CAMERA = "cameras:\n  - {name: door, source: rtsp://127.0.0.1:1/x, pipeline: {model: m}}\n"


def arguments(folder: Path, *more: str) -> list[str]:
    file = folder / "cameras.yaml"
    file.write_text(CAMERA)
    state = ["--state", str(folder / "state")]
    away = ["--server", "127.0.0.1:1", "--capture", "rtsp://127.0.0.1:1", "--capture-http", ""]
    return ["camfleet-analytics", "--cameras", str(file), *state, *away, *more]


def test_service_starts_without_camera_server_or_capture_and_ends_in_time(tmp_path: Path) -> None:
    with running(*arguments(tmp_path, "--port", "0")) as service:
        address = service.logged(r"http=([\d.]+:\d+)")[1]
        assert httpx.get(f"http://{address}/healthz", timeout=60).text == "ok\n"
        began_s = time.monotonic()
        assert service.stop() == 0
    assert time.monotonic() - began_s < 10


def test_service_ends_at_once_while_somebody_watches(tmp_path: Path) -> None:
    with running(*arguments(tmp_path, "--port", "0")) as service:
        address = service.logged(r"http=([\d.]+:\d+)")[1]
        key = KeyStore(tmp_path / "state" / "keys.json").add("wall", "viewer")
        url = f"http://{address}/live/door.mjpg"
        with httpx.stream("GET", url, headers={"x-api-key": key}, timeout=60) as pictures:
            assert pictures.status_code == 200
            assert service.stop() == 0
            with contextlib.suppress(httpx.RemoteProtocolError):
                pictures.read()
    assert "timeout graceful shutdown exceeded" not in service.log()


def test_messages_are_not_compressed(tmp_path: Path) -> None:
    with running(*arguments(tmp_path, "--port", "0")) as service:
        address = service.logged(r"http=([\d.]+:\d+)")[1]
        with connect(f"ws://{address}/v1/stream", open_timeout=60) as client:
            assert client.response is not None
            assert "Sec-WebSocket-Extensions" not in client.response.headers


def test_clear_text_beyond_this_machine_is_said_loudly(tmp_path: Path) -> None:
    beyond = arguments(tmp_path, "--port", "0", "--bind", "0.0.0.0")
    with running(*beyond, env={"ALLOW_CIDR": "192.168.0.0/16"}) as service:
        service.logged(r"http=[\d.]+:\d+")
        line = service.logged(r".*clear text beyond this machine.*")[0]
    assert "warning" in line.lower()
    assert "bind=0.0.0.0 allowed=192.168.0.0/16" in line


@pytest.mark.parametrize(("key", "is_told"), [("hunter2", True), ("h" * 16, False)])
def test_an_admin_key_that_can_be_guessed_is_said(tmp_path: Path, key: str, is_told: bool) -> None:
    with running(*arguments(tmp_path, "--port", "0"), env={"CAMFLEET_API_KEY": key}) as service:
        service.logged(r"http=[\d.]+:\d+")
        assert ("CAMFLEET_API_KEY is short" in service.log()) is is_told
        assert key not in service.log()


def test_second_start_goes_on_with_the_epoch(tmp_path: Path) -> None:
    first, second = epoch_of_a_run(tmp_path), epoch_of_a_run(tmp_path)
    assert first == second


def epoch_of_a_run(folder: Path) -> str:
    with running(*arguments(folder, "--port", "0")) as service:
        service.logged(r"http=[\d.]+:\d+")
        assert service.stop() == 0
    with contextlib.closing(sqlite3.connect(folder / "state" / "outbox.db")) as database:
        [(epoch,)] = database.execute("SELECT value FROM facts WHERE name='epoch'")
    return str(epoch)


def refusal(command: list[str]) -> tuple[int, str]:
    ended = subprocess.run(
        [str(BIN / command[0]), *command[1:]],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return ended.returncode, ended.stderr


def test_taken_port_is_named_with_the_way_out(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        code, text = refusal(arguments(tmp_path, "--port", port))
    assert code == 1
    assert re.search(rf"127\.0\.0\.1:{port}.*choose another with --port", text)


def test_second_service_on_one_state_folder_is_refused(tmp_path: Path) -> None:
    with running(*arguments(tmp_path, "--port", "0")) as service:
        service.logged(r"http=[\d.]+:\d+")
        code, text = refusal(arguments(tmp_path, "--port", "0"))
    assert code == 1
    reason = rf"outbox\.db belongs to another .*\(pid {service.process.pid}\).* --state"
    assert re.search(reason, text)


def test_another_fault_is_not_said_to_be_the_port(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("no folder")
    code, text = refusal(arguments(tmp_path, "--port", "0"))
    assert (code, "cannot start" in text, "--port" in text) == (1, True, False)


def test_service_refuses_to_listen_beyond_loopback_unprotected(tmp_path: Path) -> None:
    code, text = refusal(arguments(tmp_path, "--port", "0", "--bind", "0.0.0.0"))
    assert code == 1
    assert "ALLOW_CIDR" in text
