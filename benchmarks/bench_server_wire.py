"""What the gRPC front costs: scanned messages against protobuf's, and streams against unary calls.

Usage: python benchmarks/bench_server_wire.py [--seconds 0.3] [--rounds 9]

No model runs: requests are decoded and answers written, by turns the way gRPC's own handlers do it
(a message class for each) and the way the server does it. The second table calls a server in a
process of its own and reads the CPU time it took from /proc.
"""

import argparse
import multiprocessing
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

import grpc
import numpy as np

from camfleet_contracts.protocols import inference_pb2 as pb
from camfleet_contracts.tensors import decode_raw, encode_raw
from camfleet_contracts.wire import Remembered, scan_infer_request
from camfleet_contracts.wire_answers import infer_answer, joined
from camfleet_server.memory import tune_malloc
from camfleet_server.metrics import ServerMetrics
from camfleet_server.serving.shared_memory import SharedMemory
from camfleet_server.transports.grpc.kserve_infer import InferHead
from camfleet_server.transports.grpc.kserve_tensors import GrpcTensorExtensions
from camfleet_server.transports.grpc.server import GrpcServer
from camfleet_server.transports.kserve_tensors import TensorPlaces
from camfleet_server.types import InferRequest, InferResult
from paired import paired, show

SIZES = {"40 B": 10, "270 kB": 67_500, "600 kB": 150_528, "6.2 MB": 1_555_200}  # FP32 elements
OUTPUTS = {"y": np.zeros((1, 10), np.float32)}
SERVICE = "/inference.GRPCInferenceService"
CALLS = 1500
_TICKS = os.sysconf("SC_CLK_TCK")


class NoModel:
    """A data plane that answers at once."""

    def infer(self, request: InferRequest) -> InferResult:
        """Answer without looking."""
        return InferResult(request.model, 1, OUTPUTS)

    def live(self) -> bool:
        """Tell that it is there."""
        return True


def request_of(elements: int) -> bytes:
    """Write a ModelInferRequest as tritonclient does."""
    request = pb.ModelInferRequest(model_name="m", id="frame-7")
    request.inputs.add(name="x", datatype="FP32", shape=[1, elements])
    request.outputs.add(name="y")
    request.raw_input_contents.append(bytes(4 * elements))
    return request.SerializeToString()


def through_protobuf(data: bytes) -> bytes:
    """Decode a request and write its answer with message classes."""
    request = pb.ModelInferRequest.FromString(data)
    pairs = zip(request.inputs, request.raw_input_contents, strict=True)
    _ = {item.name: decode_raw(raw, item.datatype, item.shape, item.name) for item, raw in pairs}
    response = pb.ModelInferResponse(model_name="m", model_version="1", id=request.id)
    for name, array in OUTPUTS.items():
        response.outputs.add(name=name, datatype="FP32", shape=array.shape)
        response.raw_output_contents.append(encode_raw(array))
    return response.SerializeToString()


def scanned() -> Callable[[bytes], bytes]:
    """Make the server's own way of it."""
    heads = Remembered(InferHead)
    extensions = GrpcTensorExtensions(TensorPlaces(SharedMemory()))

    def answer(data: bytes) -> bytes:
        scan = scan_infer_request(data)
        heads(scan.head).read_inputs(scan.raws, extensions)
        return joined(infer_answer("m", 1, OUTPUTS, scan.request_id))

    return answer


def repeated(answer: Callable[[bytes], bytes], data: bytes) -> Callable[[], int]:
    """Do it a hundred times for each look at the clock."""

    def work() -> int:
        for _ in range(100):
            answer(data)
        return 100

    return work


def serve(ready: Connection) -> None:
    """Serve until the other end closes; the process of the server."""
    tune_malloc()
    server = GrpcServer(NoModel(), ServerMetrics())  # type: ignore[arg-type] # only infers
    ready.send(server.bind("127.0.0.1", 0))
    server.start()
    ready.poll(None)
    server.stop(0)


@contextmanager
def serving() -> Iterator[tuple[int, int]]:
    """Serve in another process; gives its id and port."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs,))
    process.start()
    theirs.close()
    try:
        yield process.pid or 0, ours.recv()
    finally:
        ours.close()
        process.join(10)


def cpu_s(pid: int) -> float:
    """CPU seconds a process has taken."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def unary(channel: grpc.Channel, data: bytes) -> None:
    """Send the requests one by one."""
    infer = channel.unary_unary(f"{SERVICE}/ModelInfer")
    for _ in range(CALLS):
        infer(data)


def stream(channel: grpc.Channel, data: bytes) -> None:
    """Send the requests through one stream."""
    infer = channel.stream_stream(f"{SERVICE}/ModelStreamInfer")
    for _ in infer(iter([data] * CALLS)):
        pass


def cost_ms(pid: int, send: Callable[[], None]) -> tuple[float, float]:
    """CPU milliseconds of the server for each request, and requests a second."""
    cpu_before, began_at = cpu_s(pid), time.perf_counter()
    send()
    return 1e3 * (cpu_s(pid) - cpu_before) / CALLS, CALLS / (time.perf_counter() - began_at)


def compare_calls(rounds: int) -> None:
    """Print the second table."""
    rows = ["", "| request | unary ms | stream ms | stream/unary | unary/s | stream/s |"]
    rows += ["|---|---|---|---|---|---|"]
    with serving() as (pid, port), grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        for name in ("40 B", "270 kB"):
            data = request_of(SIZES[name])
            pairs = [
                (
                    cost_ms(pid, lambda: unary(channel, data)),  # noqa: B023 - called at once
                    cost_ms(pid, lambda: stream(channel, data)),  # noqa: B023 - called at once
                )
                for _ in range(rounds)
            ]
            medians = [statistics.median(p[a][b] for p in pairs) for b in (0, 1) for a in (0, 1)]
            ratio = statistics.median(s[0] / u[0] for u, s in pairs)
            rows.append(
                f"| {name} | {medians[0]:.3f} | {medians[1]:.3f} | **{ratio:.2f}** "
                f"| {medians[2]:.0f} | {medians[3]:.0f} |"
            )
    sys.stdout.write("\n".join([*rows, ""]))


def main() -> None:
    """Print both tables and the load of the machine."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=0.3)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    tune_malloc()
    answer = scanned()
    rows = []
    for name, elements in SIZES.items():
        data = request_of(elements)
        ways = (repeated(through_protobuf, data), repeated(answer, data))
        rows.append(paired(name, *ways, rounds=options.rounds, seconds=options.seconds))
    show("Request to arrays, arrays to answer", "protobuf", "scan", rows)
    compare_calls(options.rounds)
    sys.stdout.write(f"\nload {os.getloadavg()[0]:.1f}\n")


if __name__ == "__main__":
    main()
