"""The thread that has read a picture sends it where it can, and nothing is lost or overtaken."""

import asyncio
import socket
import struct
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from socket import SOCK_DGRAM

import pytest

from camfleet_capture.access_unit import AccessUnit
from camfleet_capture.rtsp.broadcast import Broadcast, Reader
from camfleet_capture.rtsp.datagrams import DatagramSender
from camfleet_capture.rtsp.outputs import InterleavedOutput, UdpOutput, UdpSockets
from camfleet_capture.rtsp.packetiser import Packetiser
from camfleet_capture.stream import Stream

PATIENCE_S = 60.0
PICTURES = 100
ANSWER = b"RTSP/1.0 200 OK\r\n\r\n"


def unit(number: int, size: int = 10) -> AccessUnit:
    return AccessUnit((b"\x41" + number.to_bytes(4) + bytes(size),), number == 0, number, 0.0)


class Listener:
    """Notes what it gets, and in which thread; takes at once what it is told to."""

    is_behind = False

    def __init__(self, *, at_once: bool) -> None:
        self.at_once = at_once
        self.taken: list[tuple[int, threading.Thread]] = []

    def takes_at_once(self, _unit: AccessUnit) -> bool:
        return self.at_once

    def deliver(self, unit: AccessUnit) -> None:
        self.taken.append((unit.ticks, threading.current_thread()))

    def forget(self) -> None:
        self.taken.append((-1, threading.current_thread()))

    def end(self) -> None:
        pass


async def by_source(work: Callable[[], None]) -> threading.Thread:
    """Do it in a thread that stands for the source's; return that thread."""
    thread = threading.Thread(target=work, name="source")
    thread.start()
    await asyncio.to_thread(thread.join, PATIENCE_S)
    return thread


def run(test: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(PATIENCE_S):
            await test()

    asyncio.run(bounded())


def test_picture_that_all_can_take_is_handed_over_by_the_sources_thread() -> None:
    async def check() -> None:
        stream, listener = Stream("door", asyncio.get_running_loop()), Listener(at_once=True)
        stream.push(unit(0))
        await asyncio.sleep(0)  # the first one tells those who wait for it
        stream.listen(listener)
        source = await by_source(lambda: stream.push(unit(1)))
        assert listener.taken == [(1, source)]

    run(check)


def test_picture_that_one_cannot_take_comes_to_all_by_the_event_loop() -> None:
    async def check() -> None:
        stream = Stream("door", asyncio.get_running_loop())
        listeners = Listener(at_once=True), Listener(at_once=False)
        for listener in listeners:
            stream.listen(listener)
        await by_source(lambda: stream.push(unit(0)))
        own = threading.current_thread()
        assert [listener.taken for listener in listeners] == [[(0, own)], [(0, own)]]

    run(check)


def test_nothing_overtakes_what_the_event_loop_has_not_come_to() -> None:
    async def check() -> None:
        stream, listener = Stream("door", asyncio.get_running_loop()), Listener(at_once=False)
        stream.listen(listener)

        def send() -> None:
            stream.push(unit(0))
            listener.at_once = True
            stream.push(unit(1))
            stream.forget()
            stream.push(unit(0))

        thread = threading.Thread(target=send, name="source")
        thread.start()
        thread.join()  # holds the event loop up
        assert listener.taken == []
        await asyncio.sleep(0)
        assert [ticks for ticks, _ in listener.taken] == [0, 1, -1, 0]

    run(check)


def test_no_picture_comes_between_what_a_reader_begins_with_and_its_joining() -> None:
    async def check() -> None:
        stream, listener = Stream("door", asyncio.get_running_loop()), Listener(at_once=True)
        stream.wait_for_loop()
        thread = threading.Thread(target=stream.push, args=(unit(0),), name="source")
        thread.start()
        thread.join()
        assert stream.group == []
        stream.listen(listener)
        await asyncio.sleep(0)
        assert [one.ticks for one in stream.group] == [0]

    run(check)


@asynccontextmanager
async def connection() -> AsyncIterator[tuple[asyncio.StreamWriter, asyncio.StreamReader]]:
    """A connection with small buffers: what the server writes to, and what the client reads."""
    came: asyncio.Future[asyncio.StreamWriter] = asyncio.get_running_loop().create_future()
    async with await asyncio.start_server(
        lambda _, writer: came.set_result(writer), "127.0.0.1", 0
    ) as server:
        reader, own = await asyncio.open_connection(*server.sockets[0].getsockname(), limit=65_536)
        own.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        writer = await came
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 32_768)
        yield writer, reader
        writer.transport.abort()
        own.transport.abort()


async def frames(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """The RTP packets of a connection; what belongs to no channel must be one of our answers."""
    while True:
        if (first := await reader.readexactly(1)) == b"R":
            assert await reader.readexactly(len(ANSWER) - 1) == ANSWER[1:]
            continue
        assert first == b"$"
        channel, size = struct.unpack("!BH", await reader.readexactly(3))
        packet = await reader.readexactly(size)
        if channel == 0:
            yield packet


def test_slow_connection_gets_every_packet_in_order_and_answers_between_them() -> None:
    async def check() -> None:
        stream = Stream("door", asyncio.get_running_loop())
        broadcast = Broadcast(stream, with_delimiter=False)
        async with connection() as (writer, client):
            output = InterleavedOutput(writer.transport, (0, 1), stream.lock)
            reader = Reader(output, writer.transport.abort, writer.transport.abort)
            stream.deliver(unit(0))
            broadcast.join(reader, broadcast.prepare())

            def send() -> None:
                for number in range(1, PICTURES):
                    stream.push(unit(number, 20_000))

            sending = asyncio.create_task(by_source(send))
            numbers, pictures = [], 0
            async for packet in frames(client):
                numbers.append(int.from_bytes(packet[2:4]))
                pictures += packet[1] >> 7
                if pictures == PICTURES:
                    break
                if len(numbers) % 50 == 0:
                    output.answer(ANSWER)
            assert numbers == [(numbers[0] + n) % 65_536 for n in range(len(numbers))]
            assert stream.dropped == 0
            await sending
            broadcast.leave(reader)

    run(check)


def test_connection_that_has_taken_everything_is_written_to_by_any_thread() -> None:
    async def check() -> None:
        group = Packetiser(with_delimiter=False).packetise(unit(0, 100))
        async with connection() as (writer, client):
            output = InterleavedOutput(writer.transport, (0, 1), threading.RLock())
            output.send(group)
            assert output.takes_at_once(100)
            await by_source(lambda: output.send(group))
            assert await client.readexactly(2 * len(group.interleaved)) == 2 * group.interleaved
            output.close()
            assert not output.takes_at_once(100)

    run(check)


def test_what_a_full_connection_does_not_take_at_once_is_kept_for_it_when_the_reader_leaves() -> (
    None
):
    async def check() -> None:
        group = Packetiser(with_delimiter=False).packetise(unit(0, 600_000))
        async with connection() as (writer, client):
            output = InterleavedOutput(writer.transport, (0, 1), threading.RLock())
            output.answer(ANSWER)
            assert output.takes_at_once(600_000)
            thread = threading.Thread(target=output.send, args=(group,), name="source")
            thread.start()
            thread.join()  # holds the event loop up
            assert output.backlog_bytes > 0
            output.close()
            output.answer(ANSWER)
            wanted = ANSWER + group.interleaved + ANSWER
            assert await client.readexactly(len(wanted)) == wanted

    run(check)


def test_connection_without_a_way_past_its_transport_leaves_all_to_the_event_loop() -> None:
    async def check() -> None:
        async with connection() as (writer, client):
            lock = threading.RLock()
            output = InterleavedOutput(writer.transport, (0, 1), lock, is_plain=False)
            output.answer(ANSWER)
            assert not output.takes_at_once(10)
            assert await client.readexactly(len(ANSWER)) == ANSWER

    run(check)


@contextmanager
def datagrams() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two sockets that do not block: the server's and a reader's."""
    with socket.socket(type=SOCK_DGRAM) as own, socket.socket(type=SOCK_DGRAM) as other:
        for one in (own, other):
            one.setblocking(False)
            one.bind(("127.0.0.1", 0))
        yield own, other


def waiting_in(other: socket.socket) -> Iterator[bytes]:
    with suppress(BlockingIOError):
        while True:
            yield other.recv(65_536)


@pytest.mark.parametrize("count", [1, 2, 12, 200], ids=["one", "two", "twelve", "too many to cut"])
def test_datagrams_arrive_one_by_one_also_where_the_system_cuts_none(count: int) -> None:
    content = bytes(n % 251 for n in range(10 * count - 3))
    with datagrams() as (own, other):
        sender = DatagramSender(own, other.getsockname())
        assert sender.send(content, 10) == len(content)
        came = [*waiting_in(other)]
    assert [len(datagram) for datagram in came] == [10] * (count - 1) + [7]
    assert b"".join(came) == content


def test_datagrams_that_find_the_system_full_are_left(tmp_path: Path) -> None:
    content, address = bytes(10_000), str(tmp_path / "full")
    with (
        socket.socket(socket.AF_UNIX, SOCK_DGRAM) as own,
        socket.socket(socket.AF_UNIX, SOCK_DGRAM) as other,
    ):
        own.setblocking(False)
        other.setblocking(False)
        other.bind(address)
        sender = DatagramSender(own, address)  # type: ignore[arg-type]  # this kind fills up
        sender._is_cut = False
        taken = sender.send(content, 10)
        assert 0 < taken < len(content)
        assert sender.send(content, 10) == 0
        assert [*waiting_in(other)] == [bytes(10)] * (taken // 10)
        assert sender.send(content, 10) > 0


def test_packets_of_a_picture_make_runs_of_one_size_whose_last_may_be_smaller() -> None:
    sets, slices = (b"\x67" + bytes(20), b"\x68" + bytes(4)), (b"\x65" + bytes(60_000),)
    group = Packetiser(with_delimiter=True).packetise(
        AccessUnit(sets + slices, True, 0, 0.0, next_ticks=6000)
    )
    packets = []
    for run, size in group.runs:
        parts = [run[start : start + size] for start in range(0, len(run), size)]
        assert len(parts) <= 16
        packets += parts
    assert tuple(packets) == group.packets
    assert len(group.runs) == 5


def test_datagrams_of_a_large_picture_are_spaced_and_all_arrive() -> None:
    async def check() -> None:
        loop = asyncio.get_running_loop()
        group = Packetiser(with_delimiter=False).packetise(unit(0, 150_000))
        with datagrams() as (own, other):
            ports = (other.getsockname()[1], 9)
            output = UdpOutput(UdpSockets(own, own), "127.0.0.1", ports, threading.RLock())
            assert output.takes_at_once(20_000)
            assert not output.takes_at_once(150_000)
            output.send(group)
            assert 0 < output.backlog_bytes < len(group.interleaved) - 40_000
            assert not output.takes_at_once(20_000)
            came = [await loop.sock_recv(other, 65_536) for _ in range(group.count)]
            assert tuple(came) == group.packets
            assert output.backlog_bytes == 0

    run(check)
