import socket
from collections.abc import Iterator

import pytest

from camfleet_server.health import find_fault

CLOSED = 1  # tcpmux: nobody listens there


@pytest.fixture
def open_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_ovms_without_rest_is_well_while_its_grpc_port_accepts(open_port: int) -> None:
    words = ["/usr/local/bin/python3.11", "/ovms/bin/ovms", "--config_path", "/c", "--port"]

    assert find_fault([*words, str(open_port)], "8000", "") is None
    assert (
        find_fault([*words, str(CLOSED)], "8000", "")
        == "gRPC port 1: [Errno 111] Connection refused"
    )


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        pytest.param(["python", "camfleet-server"], "http://127.0.0.1:1/readyz", id="environment"),
        pytest.param(["camfleet-server", "--rest_port", "2"], "http://127.0.0.1:2/", id="option"),
        pytest.param(["camfleet-server", "--rest_port=2"], "http://127.0.0.1:2/", id="option="),
        pytest.param(["ovms", "--port", "3", "--rest_port", "2"], "http://127.0.0.1:2/", id="ovms"),
        pytest.param(["camfleet-server", "--rest_port", "0"], "gRPC port 4", id="rest off"),
    ],
)
def test_the_port_of_the_command_line_is_asked_before_that_of_the_environment(
    words: list[str], asked: str
) -> None:
    fault = find_fault(words, rest_port="1", grpc_port="4")

    assert fault is not None
    assert fault.startswith(asked)
