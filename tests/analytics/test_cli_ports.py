import os
import re
import socket
from pathlib import Path

import pytest

from camfleet.cli.fleet.ports import Port, taken_ports, way_out
from cli_runs import CommandLine
from free_ports import free_port


def page_port(number: int) -> Port:
    return Port("page", "live view", "STREAMER_PORT", "127.0.0.1", number)


def test_a_free_port_is_not_named() -> None:
    assert taken_ports([page_port(free_port())]) == ()


def test_a_taken_port_is_named_with_its_holder_and_the_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        number = listener.getsockname()[1]
        taken = taken_ports([page_port(number)])
    assert f"port {number} (page, live view) is in use by pid {os.getpid()}" in taken[0].line()
    assert re.fullmatch(r"stop what holds it, or: STREAMER_PORT=\d+ make run", way_out(taken))


def test_the_ways_out_of_two_taken_ports_do_not_collide() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        taken = taken_ports([page_port(listener.getsockname()[1])] * 2)
    numbers = re.findall(r"STREAMER_PORT=(\d+)", way_out(taken))
    assert len(set(numbers)) == 2


def test_port_0_is_any_port_and_never_taken() -> None:
    assert taken_ports([page_port(0)]) == ()


def test_up_refuses_a_taken_port_before_it_writes_or_starts_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    camfleet = CommandLine(tmp_path, monkeypatch, capsys)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        camfleet.set(STREAMER_PORT=listener.getsockname()[1])
        outcome = camfleet.run("up")
    assert outcome.code == 1
    assert "STREAMER_PORT=" in outcome.err
    assert not camfleet.models.exists()
