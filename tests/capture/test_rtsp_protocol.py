import base64
import hashlib
import socket
import struct
import time
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from unittest.mock import Mock

import av
import httpx
import pytest

from camfleet_contracts.keys import KeyStore, TooManyChecks
from fakes_capture import (
    RunningCapture,
    camera_lines,
    capture_running,
    read_numbers,
    reading_options,
    write_clip,
)
from fakes_rtsp import Client
from waiting import wait_until


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory, clip: Path) -> Iterator[RunningCapture]:
    file = tmp_path_factory.mktemp("open") / "cameras.yaml"
    file.write_text(camera_lines(one=str(clip), absent="nothing.mp4"))
    with capture_running(file) as running:
        running.wait_for("one", "LIVE")
        yield running


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, clip: Path) -> Iterator[RunningCapture]:
    file = tmp_path_factory.mktemp("guarded") / "cameras.yaml"
    file.write_text(camera_lines(one=str(clip)))
    with capture_running(file, bind="0.0.0.0", allow_cidr="192.0.2.0/24") as running:
        wait_until(lambda: running.get("/healthz").status_code == 200, 60, "healthy")
        yield running


@pytest.mark.parametrize(
    ("method", "path", "headers", "code"),
    [
        pytest.param("OPTIONS", "one", {}, 200, id="options"),
        pytest.param("DESCRIBE", "one", {}, 200, id="describe"),
        pytest.param("DESCRIBE", "other", {}, 404, id="unknown camera"),
        pytest.param("DESCRIBE", "absent", {}, 503, id="camera without a picture"),
        pytest.param("SETUP", "other", {"Transport": "RTP/AVP/TCP"}, 404, id="setup unknown"),
        pytest.param("SETUP", "one", {"Transport": "RTP/AVP;multicast"}, 461, id="multicast"),
        pytest.param("SETUP", "one", {}, 461, id="no transport"),
        pytest.param("PLAY", "one", {"Session": "1"}, 454, id="play without set-up"),
        pytest.param("TEARDOWN", "one", {"Session": "1"}, 454, id="tear down nothing"),
        pytest.param("GET_PARAMETER", "one", {"Session": "1"}, 454, id="keep alive nothing"),
        pytest.param("RECORD", "one", {}, 405, id="record"),
        pytest.param("DANCE", "one", {}, 501, id="unknown method"),
    ],
)
def test_requests_are_answered_with_the_right_code(
    capture: RunningCapture,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    path: str,
    headers: dict[str, str],
    code: int,
) -> None:
    monkeypatch.setattr("camfleet_capture.rtsp.connection._PICTURE_WAIT_S", 0.2)
    with Client(capture.rtsp_port) as client:
        assert client.ask(method, capture.url(path), **headers)[0] == code


def test_who_speaks_http_to_the_port_of_rtsp_is_told_in_http(capture: RunningCapture) -> None:
    answer = httpx.get(f"http://127.0.0.1:{capture.rtsp_port}/one", timeout=60)
    assert answer.status_code == 501
    assert "This port speaks RTSP" in answer.text


def test_a_client_is_told_what_is_wrong_with_what_it_sent(capture: RunningCapture) -> None:
    with socket.create_connection(("127.0.0.1", capture.rtsp_port), timeout=60) as client:
        client.sendall(b"hello\r\n\r\n")
        answer = client.makefile("rb").read()
    assert answer.startswith(b"RTSP/1.0 400 Bad Request\r\n")
    assert answer.endswith(b"\r\n\r\nthe first line must be METHOD URL RTSP/1.0\n")


def test_session_can_be_kept_alive_and_torn_down(capture: RunningCapture) -> None:
    url = capture.url("one")
    with Client(capture.rtsp_port) as client:
        setup = client.ask("SETUP", f"{url}/trackID=0", Transport="RTP/AVP;client_port=50000-50001")
        session = setup[1]["session"].partition(";")[0]
        assert client.ask("GET_PARAMETER", url, Session=session)[0] == 200
        assert client.ask("PLAY", url, Session=session)[0] == 200
        assert client.ask("TEARDOWN", url, Session=session)[0] == 200
    wait_until(lambda: capture.state("one")["readers"] == 0, 60, "no reader")


def test_a_session_may_get_another_transport_before_it_plays(capture: RunningCapture) -> None:
    url = capture.url("one")
    with Client(capture.rtsp_port) as client:
        _, first = client.ask(
            "SETUP", f"{url}/trackID=0", Transport="RTP/AVP;client_port=50004-50005"
        )
        session = first["session"].partition(";")[0]
        tcp = "RTP/AVP/TCP;unicast;interleaved=0-1"
        code, second = client.ask("SETUP", f"{url}/trackID=0", Transport=tcp, Session=session)
        assert (code, second["session"]) == (200, first["session"])
        assert client.ask("PLAY", url, Session=session)[0] == 200
        assert client.frame()[0] == 0


def test_udp_session_of_a_silent_client_ends(
    capture: RunningCapture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("camfleet_capture.rtsp.connection.SESSION_TIMEOUT_S", 1.0)
    url = capture.url("one")
    with Client(capture.rtsp_port) as client:
        setup = client.ask("SETUP", f"{url}/trackID=0", Transport="RTP/AVP;client_port=50002-50003")
        session = setup[1]["session"].partition(";")[0]
        assert client.ask("PLAY", url, Session=session)[0] == 200
        with pytest.raises(EOFError):
            client.read(1)
    wait_until(lambda: capture.state("one")["readers"] == 0, 60, "no reader")


def test_sender_report_follows_the_first_picture_and_tells_the_wall_clock(
    capture: RunningCapture,
) -> None:
    reports: list[bytes] = []
    units: set[int] = set()
    began = time.time()
    with Client(capture.rtsp_port) as client:
        client.play(capture.url("one"))
        while not reports:
            channel, packet = client.frame()
            if channel == 1:
                reports.append(packet)
            else:
                units.add(struct.unpack("!I", packet[4:8])[0])
    seconds, fraction, rtp_time = struct.unpack("!III", reports[0][8:20])
    wall = seconds - 2_208_988_800 + fraction / 2**32
    assert len(units) == 1
    assert began < wall < time.time()
    assert 0 <= (rtp_time - units.pop()) % 2**32 < 30 * 90_000


def test_only_our_own_reader_gets_the_delimiter_at_the_end(capture: RunningCapture) -> None:
    for query, is_delimited in (("", False), ("?low_latency=1", True)):
        with Client(capture.rtsp_port) as client:
            client.ask("DESCRIBE", capture.url("one") + query)
            client.play(capture.url("one"))
            kinds = {p[12] & 0x1F for c, p in (client.frame() for _ in range(24)) if c == 0}
        assert (9 in kinds) == is_delimited


def test_stalled_reader_costs_only_itself(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "noise.mp4", pictures=120, fps=60, codec="mpeg4")
    file = tmp_path / "cameras.yaml"
    file.write_text(camera_lines(one=str(source)))
    with capture_running(file) as capture, Client(capture.rtsp_port) as stalled:
        capture.wait_for("one", "LIVE")
        stalled.play(capture.url("one"))
        seen = read_numbers(capture.url("one"), 100)
    assert all(b == (a + 1) % 120 for a, b in zip(seen.numbers, seen.numbers[1:], strict=False))


def test_client_that_asks_and_never_reads_is_given_up(
    capture: RunningCapture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("camfleet_capture.rtsp.connection._DRAIN_LIMIT_S", 0.2)
    monkeypatch.setattr("camfleet_capture.rtsp.limits.BURST", 1_000_000)
    asking = b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n"
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(60)
        client.connect(("127.0.0.1", capture.rtsp_port))
        with pytest.raises(ConnectionError):
            client.sendall(asking * 1_000_000)  # far more than the sockets of both ends hold


def test_lost_camera_shows_new_readers_the_reason_and_then_its_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("camfleet_capture.rtsp.connection._PICTURE_WAIT_S", 0.2)
    source = write_clip(tmp_path / "clip.mp4")
    file = tmp_path / "cameras.yaml"
    file.write_text(camera_lines(one=str(source)))
    with capture_running(file) as capture, Client(capture.rtsp_port) as watching:
        capture.wait_for("one", "LIVE")
        watching.play(capture.url("one"))
        source.rename(tmp_path / "away.mp4")
        capture.wait_for("one", "FAILED")
        with Client(capture.rtsp_port) as late:
            assert late.ask("DESCRIBE", capture.url("one"))[0] == 503
            late.play(capture.url("one"))
            snapshot = capture.get("/cameras/one/snapshot.jpg")
            assert (snapshot.status_code, capture.state("one")["readers"]) == (503, 2)
            late.socket.settimeout(0.3)
            with pytest.raises(TimeoutError):
                late.frame()
            (tmp_path / "away.mp4").rename(source)
            late.socket.settimeout(10)
            assert late.frame()[0] == 0
        assert capture.state("one")["reconnects"] >= 1
    assert "not there" in snapshot.json()["error"]


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_beyond_loopback_the_fleet_secret_is_asked_for(
    guarded: RunningCapture, transport: str
) -> None:
    secret = KeyStore(guarded.state_dir / "keys.json").fleet_secret()
    assert read_numbers(guarded.url("one", f"camfleet:{secret}@"), 3, transport).numbers
    for wrong in ("", "camfleet:wrong@", f"other:{secret}@"):
        with pytest.raises(av.error.HTTPUnauthorizedError):
            av.open(guarded.url("one", wrong), options=reading_options(transport), timeout=(60, 60))
    assert guarded.get("/cameras").status_code == 401
    assert guarded.get(f"/cameras?apiKey={secret}").status_code == 200


def test_basic_takes_every_named_key(
    guarded: RunningCapture, caplog: pytest.LogCaptureFixture
) -> None:
    key = KeyStore(guarded.state_dir / "keys.json").add("screen", "viewer")
    with Client(guarded.rtsp_port) as client:
        good = base64.b64encode(f"screen:{key}".encode()).decode()
        bad = base64.b64encode(b"screen:guess").decode()
        url = guarded.url("one")
        assert client.ask("DESCRIBE", url, Authorization=f"Basic {bad}")[0] == 401
        assert client.ask("DESCRIBE", url, Authorization="Basic ???")[0] == 401
        assert client.ask("DESCRIBE", url, Authorization=f"Basic {good}")[0] == 200
    assert "wrong key peer=127.0.0.1 times=1" in caplog.text


def test_a_key_that_is_being_checked_holds_up_nobody(
    guarded: RunningCapture, monkeypatch: pytest.MonkeyPatch
) -> None:
    check: Future[None] = Future()
    monkeypatch.setattr(KeyStore, "start_check", lambda *_: check)
    doubtful = base64.b64encode(b"screen:guess").decode()
    url = guarded.url("one")
    with Client(guarded.rtsp_port) as guessing, Client(guarded.rtsp_port) as other:
        guessing.send("DESCRIBE", url, Authorization=f"Basic {doubtful}")
        assert other.ask("OPTIONS", url)[0] == 200
        check.set_result(None)
        assert guessing.answer()[0] == 401


def test_more_wrong_keys_than_are_checked_at_once_are_told_to_come_back(
    guarded: RunningCapture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(KeyStore, "start_check", Mock(side_effect=TooManyChecks))
    doubtful = base64.b64encode(b"screen:guess").decode()
    with Client(guarded.rtsp_port) as client:
        code, headers = client.ask(
            "DESCRIBE", guarded.url("one"), Authorization=f"Basic {doubtful}"
        )
    assert (code, headers["retry-after"]) == (503, "1")


def test_digest_of_another_nonce_is_refused(guarded: RunningCapture) -> None:
    secret = KeyStore(guarded.state_dir / "keys.json").fleet_secret()
    first = hashlib.md5(f"camfleet:camfleet:{secret}".encode()).hexdigest()  # noqa: S324 - the protocol
    second = hashlib.md5(b"DESCRIBE:/one").hexdigest()  # noqa: S324 - the protocol
    answer = hashlib.md5(f"{first}:old:{second}".encode()).hexdigest()  # noqa: S324 - the protocol
    header = f'Digest username="camfleet", nonce="old", uri="/one", response="{answer}"'
    with Client(guarded.rtsp_port) as client:
        assert client.ask("DESCRIBE", guarded.url("one"), Authorization=header)[0] == 401
