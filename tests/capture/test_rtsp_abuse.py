import random
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from camfleet_capture.rtsp.limits import (
    ADDRESS_LIMIT,
    BURST,
    CONNECTION_LIMIT,
    RATE_PER_S,
    AddressLimits,
)
from camfleet_capture.rtsp.server import _notice_vanished_peers
from fakes_capture import RunningCapture, camera_lines, capture_running, read_numbers
from fakes_rtsp import Client
from rtsp_fuzz import JUNK, answers, fuzz_target
from waiting import wait_until

ESTABLISHED, KEEPALIVE = "01", 2


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory, clip: Path) -> Iterator[RunningCapture]:
    file = tmp_path_factory.mktemp("abuse") / "cameras.yaml"
    file.write_text(camera_lines(one=str(clip)))
    with capture_running(file) as running:
        running.wait_for("one", "LIVE")
        yield running


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_malformed_connections_and_fuzzed_bytes_leave_it_serving_at_its_memory_level(
    tmp_path: Path,
) -> None:
    with fuzz_target(tmp_path) as target:
        target.fuzz(1, connections=200)
        before = target.memory_bytes
        chance = random.Random(7)
        for number in range(300):
            content = JUNK[number % len(JUNK)] + chance.randbytes(chance.randrange(200))
            with socket.create_connection(("127.0.0.1", target.port), timeout=60) as one:
                one.sendall(content)
        with ThreadPoolExecutor(4) as pool:
            counts = list(pool.map(lambda seed: target.fuzz(seed, connections=200), range(2, 6)))
        assert counts == [200] * 4
        # So many requests at once use up what an address may ask; that is forgiven in seconds.
        wait_until(lambda: answers(target.port), 60, "an answer to a new client")
        assert target.memory_bytes - before < 8e6
        assert "Traceback" not in target.service.log()


def test_nothing_is_sent_to_an_address_that_a_reader_names(capture: RunningCapture) -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as victim,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own,
        Client(capture.rtsp_port) as client,
    ):
        victim.bind(("127.0.0.2", 0))
        port = victim.getsockname()[1]
        own.bind(("127.0.0.1", port))
        own.settimeout(20)
        victim.setblocking(False)
        url = capture.url("one")
        transport = f"RTP/AVP;unicast;destination=127.0.0.2;client_port={port}-{port}"
        code, headers = client.ask("SETUP", f"{url}/trackID=0", Transport=transport)
        assert (code, "127.0.0.2" in headers["transport"]) == (200, False)
        session = headers["session"].partition(";")[0]
        assert client.ask("PLAY", url, Session=session)[0] == 200
        for _ in range(20):
            own.recv(2000)
        with pytest.raises(BlockingIOError):
            victim.recv(2000)


@pytest.mark.parametrize(
    "ports", ["80-81", "1023-1024", "0-1", "65535-65536", "-5-6", "99999-100000"]
)
def test_ports_of_services_and_no_ports_at_all_are_refused(
    capture: RunningCapture, ports: str
) -> None:
    with Client(capture.rtsp_port) as client:
        transport = f"RTP/AVP;unicast;client_port={ports}"
        assert client.ask("SETUP", capture.url("one"), Transport=transport)[0] == 461


def test_a_reader_that_is_silent_is_asked_by_tcp_whether_it_is_still_there(
    capture: RunningCapture,
) -> None:
    with Client(capture.rtsp_port) as client:
        client.ask("OPTIONS", capture.url("one"))
        wait_until(lambda: timers_at(capture.rtsp_port) == {KEEPALIVE}, 60, "the timer of TCP")


def test_a_reader_that_vanished_is_given_up_in_two_minutes_whatever_was_sent_to_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        _notice_vanished_peers(listener)
        with socket.create_connection(listener.getsockname()):
            accepted, _ = listener.accept()
            with accepted:
                limit_ms = accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
    assert limit_ms == 120_000


def timers_at(port: int) -> set[int]:
    """What the system waits for at connections that were accepted at a port (proc(5), net/tcp)."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    accepted = [line for line in lines if int(line[1][-4:], 16) == port and line[3] == ESTABLISHED]
    return {int(line[5].partition(":")[0], 16) for line in accepted}


def test_datagrams_of_strangers_change_nothing(capture: RunningCapture) -> None:
    chance = random.Random(7)
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger,
        Client(capture.rtsp_port) as client,
    ):
        transport = "RTP/AVP;unicast;client_port=50010-50011"
        headers = client.ask("SETUP", capture.url("one"), Transport=transport)[1]
        first = int(headers["transport"].partition("server_port=")[2].partition("-")[0])
        for number in range(400):
            target = ("127.0.0.1", first + number % 2)
            stranger.sendto(chance.randbytes(chance.randrange(1400)), target)
    assert read_numbers(capture.url("one"), 3, "udp").numbers


def test_address_that_asks_too_much_is_slowed_down_and_soon_forgiven() -> None:
    clock = Clock()
    limits = AddressLimits(clock)
    pauses = [limits.spend("192.0.2.1") for _ in range(5 * BURST)]
    assert pauses[BURST - 1] == 0
    assert pauses[BURST] == pytest.approx(1 / RATE_PER_S)
    assert max(pauses) == pytest.approx(2)
    assert limits.spend("192.0.2.2") == 0
    assert not limits.admits("192.0.2.1")
    clock.now += 3
    assert limits.spend("192.0.2.1") == 0


def test_many_addresses_are_not_remembered_for_ever() -> None:
    clock = Clock()
    limits = AddressLimits(clock)
    for number in range(20_000):
        limits.spend(f"10.0.{number // 256}.{number % 256}")
    assert len(limits._spent) <= 1024


def test_one_address_cannot_take_all_connections_and_all_have_an_end() -> None:
    limits = AddressLimits(Clock())
    for _ in range(ADDRESS_LIMIT):
        assert limits.admits("192.0.2.1")
        limits.enter("192.0.2.1")
    assert not limits.admits("192.0.2.1")
    for _ in range(CONNECTION_LIMIT - ADDRESS_LIMIT):
        assert limits.admits("127.0.0.1")
        limits.enter("127.0.0.1")
    assert not limits.admits("192.0.2.2")
    limits.leave("192.0.2.1")
    assert limits.admits("192.0.2.2")
