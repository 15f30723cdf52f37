"""gRPC's own health protocol, asked as its clients do."""

from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from google.protobuf.wrappers_pb2 import Int32Value, StringValue

from camfleet_contracts.keys import KeyStore
from camfleet_server.transports.grpc.admission import Admission
from transport_callers import KSERVE, GrpcCaller, refused, serving_grpc

CHECK = "/grpc.health.v1.Health/Check"
SERVING, NOT_SERVING = 1, 2


@pytest.fixture
def caller() -> Iterator[GrpcCaller]:
    with serving_grpc() as caller:
        yield caller


def check(caller: GrpcCaller, service: str = "") -> int:
    answer = caller.call(CHECK, StringValue(value=service), Int32Value)
    return int(answer.value)


@pytest.mark.parametrize("service", ["", KSERVE.strip("/"), "tensorflow.serving.PredictionService"])
def test_services_are_serving_once_the_models_had_their_first_try(
    caller: GrpcCaller, service: str
) -> None:
    caller.plane.is_ready = False
    assert check(caller, service) == NOT_SERVING
    caller.plane.is_ready = True
    assert check(caller, service) == SERVING


def test_a_service_that_there_is_not_is_named(caller: GrpcCaller) -> None:
    with refused() as errors:
        check(caller, "inference.Other")
    assert errors[0].code() is grpc.StatusCode.NOT_FOUND
    assert "inference.Other" in errors[0].details()
    assert "inference.GRPCInferenceService" in errors[0].details()


def test_asking_needs_no_key(tmp_path: Path) -> None:
    keys = KeyStore(tmp_path / "keys.json")
    keys.ensure()
    with serving_grpc(admission=Admission(keys)) as guarded:
        assert check(guarded) == SERVING
