import os
import signal
import socket
import threading
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from camfleet_capture.__main__ import main
from camfleet_capture.errors import PortTaken
from camfleet_capture.listener import listen_on
from camfleet_capture.recording.recorder import Recorder
from fakes_capture import camera_lines, capture_running, read_numbers
from fakes_rtsp import Client
from processes import running
from waiting import wait_until


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_service_listens_serves_and_ends_cleanly_on_a_signal(
    tmp_path: Path, clip: Path, number: signal.Signals
) -> None:
    file = tmp_path / "cameras.yaml"
    file.write_text(camera_lines(one=str(clip)))
    command = ["camfleet-capture", "--cameras", str(file), "--rtsp-port", "0", "--http-port", "0"]
    with running(*command, env={"CAMFLEET_STATE": str(tmp_path)}) as service:
        address = service.logged(r"listening rtsp=(\S+) http=(\S+)")[1]
        service.logged("camera live")
        assert read_numbers(f"rtsp://{address}/one", 3).numbers
        service.process.send_signal(number)
        assert service.process.wait(60) == 0


def test_readers_that_wait_for_a_first_picture_hold_up_no_end_and_leave_no_error(
    tmp_path: Path,
) -> None:
    file = tmp_path / "cameras.yaml"
    file.write_text(camera_lines(one="missing.mp4"))
    command = ["camfleet-capture", "--cameras", str(file), "--rtsp-port", "0", "--http-port", "0"]
    with running(*command, env={"CAMFLEET_STATE": str(tmp_path)}) as service:
        port = int(service.logged(r"listening rtsp=\S+:(\d+) ")[1])
        service.logged("not there; check the path")
        with Client(port) as waiting, Client(port) as other:
            waiting.send("DESCRIBE", f"rtsp://127.0.0.1:{port}/one-h264")  # for 10 s
            assert other.ask("OPTIONS", "*")[0] == 200
            service.process.terminate()
            assert service.process.wait(60) == 0
        service.logged("stopped")
        assert "Exception in callback" not in service.log()


def test_nobody_waits_for_a_disk_that_hangs_when_the_service_ends(
    tmp_path: Path, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hung_up = threading.Event()
    told: list[str | bool] = []
    leave = Recorder.leave

    def leave_and_tell(recorder: Recorder) -> None:
        told.append("leave")
        leave(recorder)

    monkeypatch.setattr(Recorder, "leave", leave_and_tell)
    monkeypatch.setattr(Recorder, "wait", lambda *_: told.append(hung_up.wait(20)))
    file = tmp_path / "cameras.yaml"
    cameras = [camera_lines(a=str(clip)), f"  - name: b\n    source: {clip}\n"]
    file.write_text("    recording: {}\n".join([*cameras, ""]))
    with capture_running(file, recordings_dir=tmp_path / "recordings") as capture:
        wait_until(lambda: all(capture.state(n)["recording"] for n in "ab"), 60, "recording")
        reader = Client(capture.rtsp_port)
        reader.play(capture.url("a"))
        reading = threading.Thread(target=read_to_the_end, args=(reader, hung_up))
        reading.start()
    reading.join(60)
    assert told == ["leave", "leave", True, True]


def test_a_clip_that_takes_long_holds_up_no_end_and_who_waits_for_it_is_told(
    tmp_path: Path, clip: Path
) -> None:
    file, slow = tmp_path / "cameras.yaml", tmp_path / "recordings" / "one" / "1000-2000.mp4"
    file.write_text(camera_lines(one=str(clip)) + "    recording: {}\n")
    slow.parent.mkdir(parents=True)
    os.mkfifo(slow)  # who reads it waits for ever
    command = ["camfleet-capture", "--cameras", str(file), "--rtsp-port", "0", "--http-port", "0"]
    folders = {"CAMFLEET_STATE": str(tmp_path), "CAMFLEET_RECORDINGS": str(slow.parents[1])}
    answers: list[httpx.Response] = []
    with running(*command, env=folders) as service:
        address = service.logged(r"http=(\S+)")[1]
        url = f"http://{address}/cameras/one/clip?from=1&to=2"
        service.logged("camera live")
        wait_until(lambda: httpx.get(url.replace("=2", "=0")).status_code == 400, 60, "recording")
        asking = threading.Thread(target=lambda: answers.append(httpx.get(url, timeout=60)))
        asking.start()
        with os.fdopen(wait_until(lambda: feeding(slow), 60, "the clip is being cut")):
            service.process.terminate()
            assert service.process.wait(20) == 0
        asking.join()
    assert (answers[0].status_code, answers[0].json()) == (
        503,
        {"error": "capture is ending; ask again in a moment"},
    )
    assert "Traceback" not in service.log()


def feeding(pipe: Path) -> int | None:
    """Open a named pipe for writing, once somebody reads it; the number of the file."""
    with suppress(OSError):
        return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
    return None


def read_to_the_end(reader: Client, ended: threading.Event) -> None:
    with reader, suppress(EOFError):
        while True:
            reader.read(1)
    ended.set()


def test_service_listens_within_a_second_of_processor_time(tmp_path: Path, clip: Path) -> None:
    file = tmp_path / "cameras.yaml"
    file.write_text(camera_lines(one=str(clip)))
    command = ["camfleet-capture", "--cameras", str(file), "--rtsp-port", "0", "--http-port", "0"]
    with running(*command, env={"CAMFLEET_STATE": str(tmp_path)}) as service:
        service.logged("listening")
        used = Path(f"/proc/{service.process.pid}/schedstat").read_text()
    assert int(used.split()[0]) < 1e9, "run make setup: it compiles the packages"


def test_port_in_use_is_named_with_the_way_out(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        arguments = ["--cameras", str(tmp_path / "c.yaml"), "--rtsp-port", str(port)]
        with pytest.raises(SystemExit) as caught:
            main(arguments)
    assert f"RTSP port {port} on 127.0.0.1" in str(caught.value)
    assert "--rtsp-port" in str(caught.value)


@pytest.mark.parametrize("address", ["192.0.2.7", "127.0.0.1:8554", "nowhere.invalid"])
def test_an_address_that_is_not_of_this_machine_is_told_from_a_port_in_use(address: str) -> None:
    with pytest.raises(PortTaken, match=r"; --bind takes an address of this machine"):
        listen_on(address, 0, "RTSP", "--rtsp-port")


@pytest.mark.parametrize("port", ["65536", "-1", "many"])
def test_what_is_no_port_is_refused_in_a_line(
    port: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main([f"--rtsp-port={port}"])
    assert f"argument --rtsp-port: '{port}' is not a port (0 to 65535)" in capsys.readouterr().err


def test_listening_beyond_loopback_unprotected_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="ALLOW_CIDR"):
        main(["--cameras", str(tmp_path / "c.yaml"), "--bind", "0.0.0.0"])


def test_help_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    text = capsys.readouterr().out
    assert "demo:street" in text
    assert "ffplay rtsp://" in text
