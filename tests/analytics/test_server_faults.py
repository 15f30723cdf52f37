"""A model server that is killed, hangs, refuses or is one of several: what its client does."""

import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import grpc
import pytest

from camfleet.inference import channels, known_models, model_client
from camfleet.inference.channels import Access, _Server
from camfleet.inference.detector import ServerDetector
from camfleet.inference.errors import (
    AccessRefused,
    InferenceError,
    ServerAbsent,
)
from camfleet.inference.kserve import MODEL_METADATA
from camfleet.inference.model_client import ModelClient
from camfleet_contracts.protocols import inference_pb2 as pb
from fakes_analytics import picture
from fakes_kserve import FakeServer, one_box, serving
from free_ports import free_port
from processes import Service
from real_server import DEMO, demo_server
from seeded_volume import seed_demo
from waiting import wait_until


@contextmanager
def asking(server: str, key: str | None = None) -> Iterator[ServerDetector]:
    client = ModelClient(server, Access(key=key))
    with closing(client):
        yield ServerDetector(client)


def outcome(detector: ServerDetector, model: str = DEMO) -> str:
    """ "answer", or the name of what went wrong."""
    try:
        detector.detect(picture(), model, 0.5)
    except InferenceError as error:
        return type(error).__name__
    return "answer"


@pytest.fixture(scope="module")
def volume(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Path:
    folder = tmp_path_factory.mktemp("volume")
    seed_demo(repository, folder)
    return folder


@pytest.fixture(scope="module")
def steady(volume: Path) -> Iterator[tuple[str, Service]]:
    """The address of a server that lives as long as the tests, and its process."""
    port = free_port()
    with demo_server(volume, port) as service:
        yield f"127.0.0.1:{port}", service


def test_a_killed_server_is_said_and_found_again_and_one_of_two_costs_no_frame(
    volume: Path, steady: tuple[str, Service]
) -> None:
    port = free_port()
    alone = f"127.0.0.1:{port}"
    with asking(alone) as detector, asking(f"{alone},{steady[0]}") as with_another:
        with demo_server(volume, port) as service:
            assert outcome(detector) == "answer"
            assert {outcome(with_another) for _ in range(4)} == {"answer"}
            service.process.kill()
            service.process.wait(60)
            assert outcome(detector) == "ServerAbsent"
            assert {outcome(with_another) for _ in range(20)} == {"answer"}
        with demo_server(volume, port):
            wait_until(lambda: outcome(detector) == "answer", 60, "the server is found again")


def test_a_server_that_is_frozen_ends_no_request_late_and_thaws(
    steady: tuple[str, Service], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, service = steady
    with asking(address) as detector:
        assert outcome(detector) == "answer"
        monkeypatch.setattr(model_client, "DEADLINE_S", 2.0)
        monkeypatch.setattr(known_models, "METADATA_DEADLINE_S", 2.0)
        os.kill(service.process.pid, signal.SIGSTOP)
        try:
            assert outcome(detector) == "ServerSilent"
        finally:
            os.kill(service.process.pid, signal.SIGCONT)
        wait_until(lambda: outcome(detector) == "answer", 60, "it answers again")


@contextmanager
def silent() -> Iterator[str]:
    """A server that accepts connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        taken: list[socket.socket] = []

        def accept() -> None:
            while True:
                try:
                    taken.append(listening.accept()[0])
                except OSError:
                    return

        thread = threading.Thread(target=accept, name="silent")
        thread.start()
        yield f"127.0.0.1:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)
        thread.join(60)
        for one in taken:
            one.close()


@pytest.fixture
def quick_deadlines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_client, "DEADLINE_S", 2.0)
    monkeypatch.setattr(known_models, "METADATA_DEADLINE_S", 2.0)


@pytest.mark.usefixtures("quick_deadlines")
def test_a_server_that_accepts_and_says_nothing_is_named() -> None:
    with (
        silent() as address,
        asking(address) as detector,
        pytest.raises(ServerAbsent, match=address),
    ):
        detector.detect(picture(), "m", 0.5)


@pytest.mark.usefixtures("quick_deadlines")
def test_a_silent_server_of_a_list_costs_one_deadline_and_not_every_second_frame() -> None:
    calls: list[str] = []
    with silent() as mute, serving(FakeServer({1: one_box("car", 0.0)})) as server:
        client = ModelClient(f"{mute},{server.address}")
        with closing(client):
            original = client._channels._translate

            def translate(error: grpc.RpcError, model: str) -> InferenceError:
                calls.append(model)
                return original(error, model)

            client._channels._translate = translate  # type: ignore[method-assign]
            detector = ServerDetector(client)
            assert {outcome(detector, "m") for _ in range(20)} == {"answer"}
    assert len(calls) == 1


def test_a_server_that_rests_is_asked_when_all_others_are_away_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(channels, "ABSENT_REST_S", 3600.0)
    ports = free_port(), free_port()
    with asking(",".join(f"127.0.0.1:{port}" for port in ports)) as detector:
        assert outcome(detector, "m") == "ServerAbsent"
        with serving(FakeServer({1: one_box("car", 0.0)}), ports[1]):
            wait_until(lambda: outcome(detector, "m") == "answer", 60, "the one that came")


def test_a_key_that_is_revoked_while_running_is_said_and_heals() -> None:
    with (
        serving(FakeServer({1: one_box("car", 0.0)})) as server,
        asking(server.address, key="old") as detector,
    ):
        assert outcome(detector, "m") == "answer"
        server.refusal = (grpc.StatusCode.UNAUTHENTICATED, "who are you?")
        with pytest.raises(AccessRefused, match="refused our key"):
            detector.detect(picture(), "m", 0.5)
        server.refusal = None
        assert outcome(detector, "m") == "answer"


def test_one_name_with_several_addresses_is_asked_in_turn() -> None:
    """As dns:///name is, once it is resolved."""
    with ExitStack() as stack:
        one, two = (
            stack.enter_context(serving(FakeServer({1: one_box("car", 0.0)}))) for _ in range(2)
        )
        with closing(_Server(f"ipv4:{one.address},{two.address}", Access())) as server:
            wait_until(lambda: _both_asked(server, one, two), 60, "both are asked")


def _both_asked(server: _Server, one: FakeServer, two: FakeServer) -> bool:
    request = pb.ModelMetadataRequest(name="m", version="1").SerializeToString()
    server.ask(MODEL_METADATA, request, 10, None)
    return one.asked > 0 and two.asked > 0


def test_a_dns_address_is_resolved() -> None:
    with serving(FakeServer({1: one_box("car", 0.0)})) as server:
        port = server.address.rpartition(":")[2]
        with asking(f"dns:///localhost:{port}") as detector:
            assert outcome(detector, "m") == "answer"


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_asking_an_absent_server_again_and_again_opens_nothing_that_stays() -> None:
    with asking(f"127.0.0.1:{free_port()}") as detector:
        assert {outcome(detector, "m") for _ in range(20)} == {"ServerAbsent"}
        before = open_files(), threading.active_count()
        assert {outcome(detector, "m") for _ in range(200)} == {"ServerAbsent"}
        assert open_files() <= before[0] + 3
        assert threading.active_count() <= before[1]
