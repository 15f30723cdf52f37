"""The JetStream sink against Debian's nats-server."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import nats
import pytest
from nats.js.api import StreamConfig

from sink_bench import Broker, SinkBench, crossing, nats_server, sink_bench


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with nats_server(tmp_path_factory.mktemp("nats")) as running:
        yield running


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[SinkBench]:
    with sink_bench(tmp_path) as made:
        yield made


def stored(port: int, subject: str, count: int) -> list[tuple[str, int]]:
    """Subject and seq of what a stream has, in its order."""

    async def fetch() -> list[tuple[str, int]]:
        client = await nats.connect(f"nats://127.0.0.1:{port}")
        reader = await client.jetstream().subscribe(f"{subject}.>", ordered_consumer=True)
        found = [await reader.next_msg(5) for _ in range(count)]
        more = reader.pending_msgs
        await client.close()
        assert more == 0
        return [(one.subject, int(json.loads(one.data)["seq"])) for one in found]

    return asyncio.run(fetch())


def make_stream(port: int, name: str, subject: str) -> None:
    async def make() -> None:
        client = await nats.connect(f"nats://127.0.0.1:{port}")
        await client.jetstream().add_stream(StreamConfig(name=name, subjects=[f"{subject}.>"]))
        await client.close()

    asyncio.run(make())


def test_events_are_stored_in_a_stream_that_is_made(server: Broker, bench: SinkBench) -> None:
    sink = bench.start("nats", address=f"nats://127.0.0.1:{server.port}", subject="a.b", stream="A")
    bench.publish(crossing(1), crossing(2, "back-yard"))
    bench.wait_until_delivered(sink)
    assert stored(server.port, "a.b", 2) == [
        ("a.b.box.door.line_crossed", 1),
        ("a.b.box.back-yard.line_crossed", 2),
    ]


def test_event_that_is_sent_twice_is_stored_once(server: Broker, bench: SinkBench) -> None:
    make_stream(server.port, "THEIRS", "twice")
    settings = {"kind": "nats", "address": f"nats://127.0.0.1:{server.port}", "subject": "twice"}
    first, second = bench.start("one", **settings), bench.start("two", **settings)
    bench.publish(crossing(1), crossing(2))
    bench.wait_until_delivered(first)
    bench.wait_until_delivered(second)
    assert sorted(seq for _, seq in stored(server.port, "twice", 2)) == [1, 2]


def test_event_of_an_older_release_whose_id_fits_no_header_arrives_once_and_stops_nothing(
    server: Broker, bench: SinkBench
) -> None:
    address = f"nats://127.0.0.1:{server.port}"
    sink = bench.start("nats", address=address, subject="odd", stream="ODD")
    odd = crossing(1).model_copy(update={"event_id": "x" * 100_000})
    bench.publish(odd, odd, crossing(3))
    bench.wait_until_delivered(sink)
    subject = "odd.box.door.line_crossed"
    assert stored(server.port, "odd", 2) == [(subject, 1), (subject, 3)]


def test_password_is_not_told_to_a_server_without_tls(server: Broker, bench: SinkBench) -> None:
    bench.environment = {"NATS": "user:password"}
    address = f"tls://127.0.0.1:{server.port}"
    sink = bench.start("nats", address=address, credentials="${env:NATS}")
    bench.wait_for_state(sink, "waiting")
    assert "the server does not speak TLS" in str(sink.state.reason)


def test_server_that_is_killed_loses_nothing_and_mixes_nothing_up(
    tmp_path: Path, bench: SinkBench
) -> None:
    with nats_server(tmp_path) as server:
        sink = bench.start("nats", address=f"nats://127.0.0.1:1,nats://127.0.0.1:{server.port}")
        bench.publish(*(crossing(number) for number in range(30)))
        bench.wait_until_delivered(sink)
        server.kill()
        bench.publish(*(crossing(number) for number in range(30, 150)))
        bench.wait_for_state(sink, "waiting")
        server.start()
        bench.wait_until_delivered(sink)
        found = stored(server.port, "camfleet", 150)
    assert [seq for _, seq in found] == list(range(1, 151))
