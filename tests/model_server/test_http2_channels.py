"""What a channel tells of bytes that nobody received yet."""

import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from camfleet_server.transports.http2.channels import Channel, PlainChannel, TlsChannel
from self_signed import self_signed
from waiting import wait_until

TIMEOUT_S = 60


@pytest.fixture(params=["plain", "tls"])
def two_ends(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[tuple[Channel, socket.socket]]:
    near, far = socket.socketpair()
    with near, far:
        if request.param == "plain":
            yield PlainChannel(near), far
            return
        files = self_signed(tmp_path)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(files.cert, files.key)
        context.set_alpn_protocols(["h2"])
        channel = TlsChannel(near, context)
        opening = threading.Thread(target=channel.open)
        opening.start()
        client = ssl.create_default_context(cafile=str(files.cert))
        client.set_alpn_protocols(["h2"])
        with client.wrap_socket(far, server_hostname="localhost") as spoken:
            opening.join(TIMEOUT_S)
            yield channel, spoken


def received(channel: Channel, size: int) -> bytes:
    piece = bytearray(size)
    return bytes(piece[: channel.receive([memoryview(piece)])])


def test_bytes_that_nobody_received_are_told_of(two_ends: tuple[Channel, socket.socket]) -> None:
    channel, far = two_ends
    far.sendall(b"0123")
    wait_until(channel.has_bytes, TIMEOUT_S, "them to come")
    assert received(channel, 2) == b"01"
    assert channel.has_bytes()
    assert received(channel, 2) == b"23"


def test_no_bytes_are_told_of_once_all_are_received(
    two_ends: tuple[Channel, socket.socket],
) -> None:
    channel, far = two_ends
    far.sendall(b"0123")
    assert received(channel, 4) == b"0123"
    assert not channel.has_bytes()
