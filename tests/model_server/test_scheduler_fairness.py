"""Streams share a model fairly, and a crowd is told from a request that comes alone."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from camfleet_contracts.protocols import inference_pb2 as pb
from camfleet_server.serving.crowd import CrowdGauge
from camfleet_server.serving.scheduler import Scheduler
from occupied_scheduler import Occupied, request_of
from transport_callers import serving_grpc


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(12) as pool:
        yield pool


def _peer(name: str) -> dict[str, Any]:
    return {"peer": lambda: name}


def _served(threads: ThreadPoolExecutor, requests: list[tuple[str, dict[str, Any]]]) -> list[str]:
    """Let requests wait in the order given, and tell in which order they got their turns."""
    occupied = Occupied(threads, queue_limit=16)
    tickets = [occupied.enqueue(name, **fields) for name, fields in requests]
    occupied.leave()
    for ticket in tickets:
        ticket.result(60)
    return occupied.served


def test_connection_with_many_waiting_requests_takes_turns_with_the_others(
    threads: ThreadPoolExecutor,
) -> None:
    greedy = [(f"greedy {number}", _peer("ipv4:1")) for number in range(4)]
    modest = [("modest 0", _peer("ipv4:2")), ("modest 1", _peer("ipv4:2"))]
    order = _served(threads, [*greedy, *modest])
    assert order == ["greedy 0", "modest 0", "greedy 1", "modest 1", "greedy 2", "greedy 3"]


def test_streams_share_with_connections_that_name_none(threads: ThreadPoolExecutor) -> None:
    anonymous: list[tuple[str, dict[str, Any]]] = [(f"anonymous {n}", {}) for n in range(3)]
    streams = [(name, {"stream_id": name, **_peer("ipv4:1")}) for name in ("door", "gate")]
    order = _served(threads, [*anonymous, *streams])
    assert order == ["anonymous 0", "door", "gate", "anonymous 1", "anonymous 2"]


def test_connection_of_a_grpc_request_is_what_shares_are_fair_between() -> None:
    request = pb.ModelInferRequest(model_name="pair")
    for name in ("left", "right"):
        item = request.inputs.add(name=name, datatype="INT32", shape=[1, 2])
        item.contents.int_contents.extend([3, 4])
    with serving_grpc() as caller:
        caller.kserve("ModelInfer", request)
        peer = caller.plane.requests[-1].peer
    assert peer is not None
    assert peer().startswith("ipv4:127.0.0.1:")


def test_priority_goes_before_fairness(threads: ThreadPoolExecutor) -> None:
    plain = [("plain", _peer("ipv4:1"))]
    urgent = [(f"urgent {number}", {"priority": 1, **_peer("ipv4:2")}) for number in range(2)]
    assert _served(threads, [*plain, *urgent]) == ["urgent 0", "urgent 1", "plain"]


def test_requests_that_meet_others_become_a_crowd_and_lone_ones_end_it() -> None:
    gauge = CrowdGauge()
    for _ in range(7):
        gauge.note(meets_others=True)
    assert not gauge.is_crowd
    gauge.note(meets_others=True)
    assert gauge.is_crowd
    for _ in range(7):
        gauge.note(meets_others=False)
    assert gauge.is_crowd
    gauge.note(meets_others=False)
    assert not gauge.is_crowd


def test_requests_that_meet_now_and_then_are_no_crowd() -> None:
    gauge = CrowdGauge()
    for _ in range(50):
        gauge.note(meets_others=True)
        gauge.note(meets_others=False)
    assert not gauge.is_crowd


def test_mix_of_both_does_not_end_a_crowd() -> None:
    gauge = CrowdGauge()
    for _ in range(8):
        gauge.note(meets_others=True)
    for _ in range(50):
        gauge.note(meets_others=False)
        gauge.note(meets_others=True)
    assert gauge.is_crowd


def test_turns_tell_whether_they_are_part_of_a_crowd(threads: ThreadPoolExecutor) -> None:
    scheduler = Scheduler("model", 2, 8)
    with scheduler.turn(request_of()) as alone:
        assert not alone.in_crowd
        for _ in range(8):
            with scheduler.turn(request_of()) as together:
                pass
    assert together.in_crowd
