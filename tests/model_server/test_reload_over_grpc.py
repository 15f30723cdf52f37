"""The same reload under load, seen by a client that others wrote, over real sockets."""

from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tritonclient.grpc as triton

from model_volume import Volume
from processes import Service, running

IN_FLIGHT = 200
LAST_VERSION = 6

pytestmark = pytest.mark.interop


@pytest.fixture
def volume(tmp_path: Path) -> Volume:
    return Volume.of_adder(tmp_path)


@pytest.fixture
def server(volume: Volume) -> Iterator[Service]:
    ports = ["--port", "auto", "--rest_port", "0", "--cache_dir", str(volume.root / ".cache")]
    with running("camfleet-server", "--config_path", str(volume.config_path), *ports) as server:
        server.logged("version available model=adder version=1")
        yield server


def test_two_hundred_requests_in_flight_survive_five_version_changes(
    volume: Volume, server: Service
) -> None:
    client = triton.InferenceServerClient(server.logged(r"grpc=(\S+)").group(1))
    waves: list[list[tuple[str, float]]] = []
    for version in range(2, LAST_VERSION + 1):
        in_flight = [_ask(client) for _ in range(IN_FLIGHT)]
        volume.publish_adder("adder", version, addend=version)
        waves.append([_answer(future) for future in in_flight])
        server.logged(f"version available model=adder version={version}")
        assert _answer(_ask(client)) == (str(version), version)
    client.close()
    assert all(int(named) == answer for wave in waves for named, answer in wave)
    assert sum(len(wave) for wave in waves) == IN_FLIGHT * (LAST_VERSION - 1)


def _ask(client: Any) -> "Future[Any]":
    numbers = triton.InferInput("x", [1, 4], "FP32")
    numbers.set_data_from_numpy(np.zeros((1, 4), np.float32))
    answered: Future[Any] = Future()

    def take(result: Any, error: Exception | None) -> None:
        if error is not None:
            answered.set_exception(error)
        else:
            answered.set_result(result)

    client.async_infer("adder", [numbers], take)
    return answered


def _answer(future: "Future[Any]") -> tuple[str, float]:
    result = future.result(60)
    return result.get_response().model_version, float(result.as_numpy("y")[0, 0])
