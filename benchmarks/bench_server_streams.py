"""ModelStreamInfer here against unary calls of tritonserver's Python backend, on a tiny model.

Usage: python benchmarks/bench_server_streams.py        (set-up as for bench_server_peers.py)

The client is the same Python program for all: one request in flight on each connection. It shares
the cores with the server, so that ratios understate the difference between servers.
"""

import argparse
import json
import multiprocessing
import queue
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import numpy as np
from tritonclient.grpc import InferInput, service_pb2

from bench_server_peers import ROOT, PeerBench, model_files, publish, serving
from paired import Ratio, paired, show

SECONDS = 1.0
STREAM = "/inference.GRPCInferenceService/ModelStreamInfer"
UNARY = "/inference.GRPCInferenceService/ModelInfer"
NAME = "dummy"


def request_of(peer_bench: PeerBench, model: str) -> bytes:
    """The bytes of one request on random input."""
    told = json.loads((peer_bench.folder / "models" / f"{NAME}.io.json").read_text())
    request = service_pb2.ModelInferRequest(model_name=model)
    for name, shape, dtype, datatype in told["inputs"]:
        given = InferInput(name, shape, datatype)
        given.set_data_from_numpy(np.random.default_rng(1).random(shape).astype(dtype))
        request.inputs.append(given._get_tensor())  # noqa: SLF001 - what its own client does
        request.raw_input_contents.append(given._get_content())  # noqa: SLF001 - as above
    content: bytes = request.SerializeToString()
    return content


def ask_alone(channel: grpc.Channel, request: bytes, until_s: float) -> int:
    """Unary calls, one after the other; how many were answered."""
    call, done = channel.unary_unary(UNARY), 0
    while time.monotonic() < until_s:
        call(request)
        done += 1
    return done


def ask_in_a_stream(channel: grpc.Channel, request: bytes, until_s: float) -> int:
    """One stream, the next request after each answer; how many were answered."""
    requests: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
    requests.put(request)
    done = 0
    for _ in channel.stream_stream(STREAM)(iter(requests.get, None)):
        done += 1
        requests.put(request if time.monotonic() < until_s else None)
    return done


WAYS = {"unary": ask_alone, "stream": ask_in_a_stream}


def drive(way: str, address: str, request: bytes, clients: int) -> int:
    """Ask over as many connections at once, in this process."""
    counts: list[int] = []
    until_s = time.monotonic() + SECONDS

    def one() -> None:
        options = [("grpc.use_local_subchannel_pool", 1)]
        with grpc.insecure_channel(address, options=options) as channel:
            counts.append(WAYS[way](channel, request, until_s))

    threads = [threading.Thread(target=one) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts)


@contextmanager
def triton(peer_bench: PeerBench) -> Iterator[str]:
    """Run tritonserver with its Python backend on the tiny model."""
    port = "9561"
    command = peer_bench.command("start", "triton-py", NAME, "--port", port)
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"127.0.0.1:{port}"
    try:
        with grpc.insecure_channel(address) as channel:
            grpc.channel_ready_future(channel).result(60)
        yield address
    finally:
        server.terminate()
        server.wait(15)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    shared = ROOT.parent / "shared" / "tools" / "peer-bench"
    parser.add_argument("--peer-bench", type=Path, default=shared)
    parser.add_argument("--venvs", type=Path, default=ROOT / "var" / "peer-bench")
    given = parser.parse_args()
    peer_bench = PeerBench(given.peer_bench, given.venvs)
    peer_bench.check()
    with tempfile.TemporaryDirectory() as folder, multiprocessing.Pool(1) as pool:
        publish(Path(folder), NAME, model_files(peer_bench.folder)[NAME])
        with serving(Path(folder)) as (address, _), triton(peer_bench) as peer:
            rows = [
                row(pool, peer_bench, (address, peer), way, clients)
                for way in WAYS
                for clients in (1, 4, 16)
            ]
    title = "Tiny model: this server against unary calls of tritonserver's Python backend"
    show(title, "tritonserver", "camfleet", rows)


def row(
    pool: "multiprocessing.pool.Pool",
    peer_bench: PeerBench,
    addresses: tuple[str, str],
    way: str,
    clients: int,
) -> Ratio:
    ours, theirs = addresses
    mine = (way, ours, request_of(peer_bench, NAME), clients)
    its = ("unary", theirs, request_of(peer_bench, "m"), clients)
    name = f"{way}, {clients} client(s)"
    return paired(
        name, lambda: pool.apply(drive, its), lambda: pool.apply(drive, mine), rounds=5, seconds=0.1
    )


if __name__ == "__main__":
    main()
