"""The end of a stream: every reader gets what was sent, however slowly it takes it."""

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from unittest.mock import Mock

from camfleet_capture.rtsp.connection import Connection
from camfleet_capture.rtsp.outputs import left_bytes
from waiting import wait_until

PATIENCE_S = 60.0
FILM_BYTES, SHORT_FILM_BYTES, TAKEN_BYTES = 30_000_000, 3_000_000, 500_000

Accepted = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def accepted() -> AsyncIterator[tuple[socket.socket, Accepted]]:
    """A client, and what the server has of it."""
    came: asyncio.Future[Accepted] = asyncio.get_running_loop().create_future()
    async with (
        asyncio.timeout(PATIENCE_S),
        await asyncio.start_server(lambda *pair: came.set_result(pair), "127.0.0.1", 0) as server,
    ):
        with socket.create_connection(server.sockets[0].getsockname()) as client:
            yield client, await came


def test_goodbye_to_a_reader_that_breaks_off_in_this_moment_is_no_fault() -> None:
    async def check() -> None:
        async with accepted() as (client, (reader, writer)):
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()  # without a goodbye, and the event loop has not seen it yet
            Connection(Mock(), reader, writer).finish()
            assert writer.transport.is_closing()

    asyncio.run(check())


def test_goodbye_waits_for_a_slow_reader_as_long_as_it_takes_anything() -> None:
    async def check() -> None:
        async with accepted() as (client, (reader, writer)):
            writer.write(bytes(FILM_BYTES))
            connection, before = Connection(Mock(), reader, writer), left_bytes(writer.transport)
            await asyncio.to_thread(client.recv, TAKEN_BYTES, socket.MSG_WAITALL)
            await asyncio.to_thread(
                wait_until,
                lambda: left_bytes(writer.transport) < before,
                PATIENCE_S,
                "some arrives",
            )
            connection._await_end(before)
            assert not writer.transport.is_closing()
            connection._await_end(0)
            assert writer.transport.is_closing()

    asyncio.run(check())


def test_a_reader_that_says_it_is_alive_after_the_end_gets_the_rest_all_the_same() -> None:
    async def check() -> None:
        async with accepted() as (client, (reader, writer)):
            connection = Connection(Mock(), reader, writer)
            serving = asyncio.create_task(connection.serve())
            writer.write(bytes(SHORT_FILM_BYTES))
            connection.finish()
            got = 0
            for _ in range(2):
                client.sendall(b"OPTIONS * RTSP/1.0\r\nCSeq: 2\r\n\r\n")
                got += len(await asyncio.to_thread(client.recv, TAKEN_BYTES, socket.MSG_WAITALL))
            rest = await asyncio.to_thread(client.recv, SHORT_FILM_BYTES, socket.MSG_WAITALL)
            assert got + len(rest) == SHORT_FILM_BYTES
            client.close()
            await serving

    asyncio.run(check())


def test_nothing_is_left_of_an_encrypted_connection_that_ended(
    certificate: tuple[Path, Path],
) -> None:
    ours = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ours.load_cert_chain(*certificate)
    theirs = ssl.create_default_context(cafile=certificate[0])

    async def check() -> None:
        came: asyncio.Future[Accepted] = asyncio.get_running_loop().create_future()
        async with await asyncio.start_server(
            lambda *pair: came.set_result(pair), "127.0.0.1", 0, ssl=ours
        ) as server:
            address = server.sockets[0].getsockname()
            _, client = await asyncio.open_connection(*address, ssl=theirs)
            _, writer = await came
            client.close()
            writer.close()
            await writer.wait_closed()
            assert left_bytes(writer.transport) == 0

    asyncio.run(check())
