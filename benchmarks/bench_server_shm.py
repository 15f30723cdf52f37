"""A 1080p frame by shared memory against the same frame as bytes, by turns, through tritonclient.

Usage: python benchmarks/bench_server_shm.py [ROUNDS]     (default 200)

The model looks at one value of the frame, so what is measured is the way of the frame.
"""

import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import tritonclient.grpc as triton
import tritonclient.utils.shared_memory as shm
from openvino import opset13 as opset

SHAPE = (1, 1080, 1920, 3)
SIZE_BYTES = int(np.prod(SHAPE))
LISTENING = re.compile(r"listening grpc=(\S+)")
WARM_UP = 20


def save_model(folder: Path) -> None:
    """Save a model that takes a 1080p frame and answers one of its values."""
    folder.mkdir(parents=True)
    frame = opset.parameter(list(SHAPE), np.uint8, name="frame")
    frame.output(0).set_names({"frame"})
    corner = opset.strided_slice(frame, [0] * 4, [1, 1, 1, 3], [1] * 4, [0] * 4, [0] * 4)
    corner.output(0).set_names({"corner"})
    ov.save_model(ov.Model([corner], [frame], "frame"), folder / "model.xml")


@contextmanager
def running_server(volume: Path) -> Iterator[str]:
    """Run a server on the model and return its gRPC address."""
    save_model(volume / "frame" / "1")
    entry = {"config": {"name": "frame", "base_path": "frame"}}
    config = volume / "config.json"
    config.write_text(json.dumps({"model_config_list": [entry]}))
    command = [str(Path(sys.executable).parent / "camfleet-server"), "--config_path", str(config)]
    command += ["--port", "auto", "--rest_port", "0", "--allow-client-shm"]
    command += ["--cache_dir", str(volume / "cache")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        found = next(filter(None, map(LISTENING.search, server.stderr)))
        try:
            yield found[1]
        finally:
            server.terminate()


def wait_ready(client: triton.InferenceServerClient) -> None:
    """Wait until the model is AVAILABLE."""
    deadline = time.monotonic() + 60
    while not client.is_model_ready("frame"):
        if time.monotonic() > deadline:
            sys.exit("the model did not become AVAILABLE within 60 s")
        time.sleep(0.05)


def by_bytes(client: triton.InferenceServerClient, frame: Any) -> Callable[[], Any]:
    """Send the frame in the message."""

    def call() -> Any:
        given = triton.InferInput("frame", SHAPE, "UINT8")
        given.set_data_from_numpy(frame)
        return client.infer("frame", [given])

    return call


def by_memory(
    client: triton.InferenceServerClient, frame: Any, stack: ExitStack
) -> Callable[[], Any]:
    """Copy the frame into a region and send where it is."""
    handle = shm.create_shared_memory_region("bench", "/camfleet-bench", SIZE_BYTES)
    stack.callback(shm.destroy_shared_memory_region, handle)
    client.register_system_shared_memory("bench", "/camfleet-bench", SIZE_BYTES)

    def call() -> Any:
        shm.set_shared_memory_region(handle, [frame])
        given = triton.InferInput("frame", SHAPE, "UINT8")
        given.set_shared_memory("bench", SIZE_BYTES)
        return client.infer("frame", [given])

    return call


def by_memory_in_place(
    client: triton.InferenceServerClient, written: Callable[[], Any]
) -> Callable[[], Any]:
    """Send where the frame is; whoever captures it has put it there."""
    written()
    given = triton.InferInput("frame", SHAPE, "UINT8")
    given.set_shared_memory("bench", SIZE_BYTES)
    return lambda: client.infer("frame", [given])


def measured(ways: dict[str, Callable[[], Any]], rounds: int) -> dict[str, list[float]]:
    """Time all ways in every round, in milliseconds."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(WARM_UP + rounds):
        for name, call in ways.items():
            began = time.perf_counter()
            call()
            if number >= WARM_UP:
                times[name].append((time.perf_counter() - began) * 1e3)
    return times


def main() -> None:
    """Print p50, p95 and the paired ratio to bytes."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    frame = np.random.default_rng(1).integers(0, 255, SHAPE, np.uint8)
    with tempfile.TemporaryDirectory() as volume, ExitStack() as stack:
        address = stack.enter_context(running_server(Path(volume)))
        client = stack.enter_context(triton.InferenceServerClient(address))
        wait_ready(client)
        memory = by_memory(client, frame, stack)
        ways = {
            "bytes": by_bytes(client, frame),
            "shared memory, copied there": memory,
            "shared memory, already there": by_memory_in_place(client, memory),
        }
        times = measured(ways, rounds)
    print("| way | p50 ms | p95 ms | to bytes |\n| --- | --- | --- | --- |")
    for name, taken in times.items():
        ratios = [mine / theirs for mine, theirs in zip(taken, times["bytes"], strict=True)]
        p95 = sorted(taken)[int(len(taken) * 0.95)]
        middle = statistics.median(taken)
        print(f"| {name} | {middle:.2f} | {p95:.2f} | {statistics.median(ratios):.2f} |")


if __name__ == "__main__":
    main()
