"""The model server against the raw runtime: the same model, the same input, by turns.

Usage: python benchmarks/bench_server.py [CLIENTS ...]     (default 1 4)
"""

import json
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import openvino as ov
from tritonclient import grpc

from paired import Ratio, paired, show

ROOT = Path(__file__).resolve().parent.parent
BATCH = 20
Frame = np.ndarray[tuple[int, ...], np.dtype[np.float32]]


def models() -> dict[str, Path]:
    """Model files at hand: the demo's, and fastestdet where the shared data is there."""
    found = {"demo-street": ROOT / "models" / "demo-street" / "1" / "model.onnx"}
    shared = ROOT.parent / "shared" / "data" / "models" / "fastestdet-coco" / "FastestDet.onnx"
    return found | ({"fastestdet-coco": shared} if shared.is_file() else {})


@contextmanager
def serving(folder: Path, files: dict[str, Path]) -> Iterator[str]:
    """Run the model server on copies of the files; yields HOST:PORT."""
    for name, file in files.items():
        version = folder / name / "1"
        version.mkdir(parents=True)
        (version / file.name).write_bytes(file.read_bytes())
    entries = [{"config": {"name": name, "base_path": name}} for name in files]
    (folder / "config.json").write_text(json.dumps({"model_config_list": entries}))
    command = [str(Path(sys.executable).parent / "camfleet-server")]
    command += ["--config_path", str(folder / "config.json"), "--port", "auto", "--rest_port", "0"]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert server.stderr is not None
    try:
        address = next(m[1] for line in server.stderr if (m := re.search(r"grpc=(\S+)", line)))
        threading.Thread(target=server.stderr.read, daemon=True).start()
        yield address
    finally:
        server.terminate()
        server.wait(10)


class Raw:
    """The runtime itself, compiled as the server compiles it, one request at a time a thread."""

    def __init__(self, file: Path, pool: ThreadPoolExecutor, clients: int) -> None:
        core = ov.Core()
        hints = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
        compiled = core.compile_model(str(file), "CPU", hints)
        self.shape = tuple(compiled.inputs[0].shape)
        self._requests = [compiled.create_infer_request() for _ in range(clients)]
        self._pool, self._frame = pool, frame_of(self.shape)

    def work(self) -> int:
        list(self._pool.map(self._loop, self._requests))
        return BATCH * len(self._requests)

    def _loop(self, request: ov.InferRequest) -> None:
        for _ in range(BATCH):
            request.infer([self._frame])


class Served:
    """The same through gRPC, one connection a client."""

    def __init__(
        self,
        address: str,
        name: str,
        shape: tuple[int, ...],
        pool: ThreadPoolExecutor,
        clients: int,
    ) -> None:
        self._clients = [grpc.InferenceServerClient(address) for _ in range(clients)]
        metadata = self._clients[0].get_model_metadata(name)
        self._input = grpc.InferInput(metadata.inputs[0].name, list(shape), "FP32")
        self._input.set_data_from_numpy(frame_of(shape))
        self._name, self._pool = name, pool

    def work(self) -> int:
        list(self._pool.map(self._loop, self._clients))
        return BATCH * len(self._clients)

    def _loop(self, client: grpc.InferenceServerClient) -> None:
        for _ in range(BATCH):
            client.infer(self._name, [self._input])


def frame_of(shape: tuple[int, ...]) -> Frame:
    return np.random.default_rng(7).random(shape, dtype=np.float32)


def compare(address: str, name: str, file: Path, clients: int) -> Ratio:
    """One row of the table."""
    with ThreadPoolExecutor(clients) as pool:
        raw = Raw(file, pool, clients)
        served = Served(address, name, raw.shape, pool, clients)
        return paired(f"{name}, {clients} client(s)", raw.work, served.work)


def wait_until_ready(address: str, names: list[str]) -> None:
    client = grpc.InferenceServerClient(address)
    pause = threading.Event()
    while not all(client.is_model_ready(name) for name in names):
        pause.wait(0.05)


def main() -> None:
    counts = [int(argument) for argument in sys.argv[1:]] or [1, 4]
    files = {k: v for k, v in models().items() if v.is_file()}
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder), files) as address:
        wait_until_ready(address, list(files))
        rows = [
            compare(address, name, file, count) for name, file in files.items() for count in counts
        ]
    show("Model server against the raw runtime (clients on the same cores)", "raw", "served", rows)


if __name__ == "__main__":
    main()
