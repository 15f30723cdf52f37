"""The gRPC port itself: taken addresses, unix sockets, keys, networks."""

import ipaddress
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import Mock

import grpc
import pytest
from pydantic import SecretStr

from camfleet_contracts.keys import KeyStore, TooManyChecks
from camfleet_contracts.protocols import inference_pb2 as pb
from camfleet_server.metrics import ServerMetrics
from camfleet_server.transports.grpc.admission import Admission, peer_address
from camfleet_server.transports.grpc.server import GrpcServer
from camfleet_server.transports.listening import PortTaken
from fakes_model_server import FakeDataPlane
from transport_callers import MODELS, GrpcCaller, refused, serving_grpc


@pytest.fixture
def keys(tmp_path: Path) -> KeyStore:
    store = KeyStore(tmp_path / "keys.json")
    store.ensure()
    return store


@pytest.fixture
def guarded(keys: KeyStore) -> Iterator[GrpcCaller]:
    with serving_grpc(admission=Admission(keys)) as caller:
        yield caller


def test_a_taken_port_is_refused_by_name() -> None:
    with serving_grpc() as caller:
        second = GrpcServer(FakeDataPlane(), ServerMetrics())
        with pytest.raises(PortTaken, match=f"127.0.0.1:{caller.port}.*--port"):
            second.bind("127.0.0.1", caller.port)
        second.stop(0)


def test_health_needs_no_key(guarded: GrpcCaller) -> None:
    assert guarded.kserve("ServerLive", pb.ServerLiveRequest()).live
    assert guarded.kserve("ServerReady", pb.ServerReadyRequest()).ready


@pytest.mark.parametrize(
    ("metadata", "reason", "told"),
    [
        ({}, "a key is needed", []),
        (
            {"authorization": "Bearer wrong"},
            "this key is unknown",
            ["wrong key peer=127.0.0.1 times=1"],
        ),
    ],
    ids=["none", "wrong"],
)
def test_calls_without_a_valid_key_are_unauthenticated(
    guarded: GrpcCaller,
    caplog: pytest.LogCaptureFixture,
    metadata: dict[str, str],
    reason: str,
    told: list[str],
) -> None:
    with refused() as errors:
        guarded.kserve("ServerMetadata", pb.ServerMetadataRequest(), metadata=metadata)
    assert errors[0].code() is grpc.StatusCode.UNAUTHENTICATED
    assert reason in errors[0].details()
    assert "camfleet key add" in errors[0].details()
    assert caplog.messages == told


def test_a_chosen_key_is_checked_in_the_thread_of_its_call(
    guarded: GrpcCaller, keys: KeyStore
) -> None:
    keys.ensure(SecretStr("chosen"))
    metadata = {"x-api-key": "chosen"}
    assert guarded.kserve("ServerMetadata", pb.ServerMetadataRequest(), metadata=metadata).name
    with refused() as errors:
        guarded.kserve("ServerMetadata", pb.ServerMetadataRequest(), metadata={"x-api-key": "no"})
    assert errors[0].code() is grpc.StatusCode.UNAUTHENTICATED


def test_checks_beyond_the_limit_are_told_to_come_again(
    guarded: GrpcCaller, keys: KeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "start_check", Mock(side_effect=TooManyChecks))
    with refused() as errors:
        guarded.kserve("ServerMetadata", pb.ServerMetadataRequest())
    assert errors[0].code() is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_a_viewer_changes_nothing(guarded: GrpcCaller, keys: KeyStore) -> None:
    reload = guarded.channel.unary_unary(f"{MODELS}/HandleReloadConfigRequest")
    viewer, admin = keys.add("laptop", "viewer"), keys.add("phone", "admin")
    reload(b"", metadata=(("x-api-key", admin),), timeout=60)
    with refused() as errors:
        reload(b"", metadata=(("x-api-key", viewer),), timeout=60)
    assert errors[0].code() is grpc.StatusCode.PERMISSION_DENIED
    assert "--role admin" in errors[0].details()


@pytest.mark.parametrize("header", ["authorization", "x-api-key"])
def test_calls_with_a_key_are_answered(guarded: GrpcCaller, keys: KeyStore, header: str) -> None:
    key = keys.add("laptop", "viewer")
    value = f"Bearer {key}" if header == "authorization" else key
    request = pb.ServerMetadataRequest()
    assert guarded.kserve("ServerMetadata", request, metadata={header: value}).name == "camfleet"


def test_streams_need_a_key_too(guarded: GrpcCaller) -> None:
    with refused() as errors:
        guarded.stream([pb.ModelInferRequest(model_name="increment")])
    assert errors[0].code() is grpc.StatusCode.UNAUTHENTICATED


def test_loopback_is_allowed_beside_the_networks(keys: KeyStore) -> None:
    networks = (ipaddress.ip_network("10.0.0.0/8"),)
    with serving_grpc(admission=Admission(keys, networks)) as caller:
        assert caller.kserve("ServerLive", pb.ServerLiveRequest()).live


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        ("ipv4:192.168.1.9:5000", "192.168.1.9"),
        ("ipv6:%5B::1%5D:5000", "::1"),
        ("ipv6:[fe80::1]:5000", "fe80::1"),
        ("unix:", "127.0.0.1"),
    ],
)
def test_address_of_a_peer(peer: str, address: str) -> None:
    assert peer_address(peer) == address


def test_calls_from_other_networks_are_denied(
    keys: KeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = "camfleet_server.transports.grpc.admission.peer_address"
    monkeypatch.setattr(where, lambda _: "192.168.1.9")
    with serving_grpc(admission=Admission(keys, (ipaddress.ip_network("10.0.0.0/8"),))) as caller:
        with refused() as errors:
            caller.kserve("ServerLive", pb.ServerLiveRequest())
        assert errors[0].code() is grpc.StatusCode.PERMISSION_DENIED
