"""Turns, compilations and batching against the raw runtime, in one process, by turns.

Usage: python benchmarks/bench_server_scheduling.py [CLIENTS ...]     (default 1 4 16)

The raw runtime is what one would write for that many clients: a blocking loop on a LATENCY
compilation for one, an AsyncInferQueue on a THROUGHPUT one for more; the same precision (f32).
"""

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from camfleet_contracts.model_manifest import ModelManifest
from camfleet_contracts.serving_config import ModelConfig
from camfleet_server.reload.loading import load_servable, warm_up
from camfleet_server.runtimes.base import LoadError, ModelSource, ServesCrowds
from camfleet_server.runtimes.openvino.api import ov
from camfleet_server.runtimes.table import Runtimes
from camfleet_server.serving.batching import BatchedInference
from camfleet_server.serving.inference import Inference, SingleInference
from camfleet_server.serving.scheduler import Scheduler
from camfleet_server.types import InferRequest, Tensors
from paired import Ratio, paired, show

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared" / "data" / "models"
BATCH = 12
ROUNDS, SECONDS = 5, 0.3
ONE = InferRequest("model", {})


def models() -> dict[str, Path]:
    """Model files at hand: the demo's, and two of the shared data where it is there."""
    files = {
        "demo-street": ROOT / "models" / "demo-street" / "1" / "model.onnx",
        "fastestdet": SHARED / "fastestdet-coco" / "FastestDet.onnx",
        "mobilenet-v2": SHARED
        / "mobilenet-v2-imagenet-quant"
        / "mobilenet_v2_1.0_224_quant.tflite",
    }
    return {name: file for name, file in files.items() if file.is_file()}


def raw(file: Path, frame: Tensors, clients: int) -> Callable[[], int]:
    """The runtime itself."""
    hint = "LATENCY" if clients == 1 else "THROUGHPUT"
    settings = {"PERFORMANCE_HINT": hint, "INFERENCE_PRECISION_HINT": "f32"}
    compiled = ov.Core().compile_model(file, "CPU", settings)
    inputs: dict[Any, Any] = dict(enumerate(frame.values()))
    if clients == 1:
        request = compiled.create_infer_request()

        def alone() -> int:
            for _ in range(BATCH):
                request.infer(inputs, share_inputs=True)
            return BATCH

        return alone
    queue = ov.AsyncInferQueue(compiled)

    def together() -> int:
        for _ in range(BATCH * clients):
            queue.start_async(inputs, share_inputs=True)
        queue.wait_all()
        return BATCH * clients

    return together


class Scheduled:
    """What the server does between its transports and the runtime."""

    def __init__(self, file: Path, max_rows: int = 1) -> None:
        manifest = {"batching": {"max_batch_size": max_rows}} if max_rows > 1 else {}
        config = ModelConfig(name="model", base_path=file)
        source = ModelSource("model", 1, file, config, ModelManifest.model_validate(manifest))
        servable = load_servable(source, Runtimes())
        warm_up(servable, servable.slots)
        self._servable = servable
        self._scheduler = Scheduler("model", servable.slots, 256)
        self._inference: Inference = SingleInference(self._scheduler)
        if max_rows > 1:
            self._inference = BatchedInference(self._scheduler, max_rows, 0)
        self._wanted = tuple(spec.name for spec in servable.outputs)
        spec = servable.inputs[0]
        shape = tuple(max(1, size) for size in spec.shape)
        pixels = np.random.default_rng(7).integers(0, 255, shape)
        kind = np.uint8 if spec.datatype == "UINT8" else np.float32
        self.frame: Tensors = {spec.name: pixels.astype(kind)}

    def widen(self) -> None:
        """Compile for crowds, as happens in the background when one comes."""
        assert isinstance(self._servable, ServesCrowds)
        crowd = self._servable.compile_for_crowd()
        warm_up(crowd, crowd.slots)
        self._servable.hand_over_crowd(crowd)
        self._scheduler.widen(crowd.slots)

    def work(self, pool: ThreadPoolExecutor, clients: int) -> int:
        """Let every client infer a while, one request after the other."""
        list(pool.map(self._loop, range(clients)))
        return BATCH * clients

    def _loop(self, _: int) -> None:
        for _ in range(BATCH):
            self._inference.infer(ONE, self._servable, self.frame, self._wanted)


def compare(name: str, file: Path, clients: int) -> list[Ratio]:
    """Rows of one model at one number of clients."""
    scheduled = Scheduled(file)
    plain = raw(file, scheduled.frame, clients)
    rows: list[Ratio] = []
    with ThreadPoolExecutor(clients) as pool:

        def row(what: str, measured: Scheduled) -> None:
            rows.append(
                paired(
                    f"{name}, {clients} client(s), {what}",
                    plain,
                    lambda: measured.work(pool, clients),
                    rounds=ROUNDS,
                    seconds=SECONDS,
                )
            )

        row("LATENCY only", scheduled)
        if clients > 1:
            scheduled.widen()
            row("both compilations", scheduled)
            with suppress(LoadError):  # not every model takes several rows
                row("batches of up to 8", Scheduled(file, 8))
    return rows


def main() -> None:
    counts = [int(argument) for argument in sys.argv[1:]] or [1, 4, 16]
    rows = [
        row
        for name, file in models().items()
        for count in counts
        for row in compare(name, file, count)
    ]
    show("Turns and compilations against the raw runtime", "raw", "scheduled", rows)


if __name__ == "__main__":
    main()
