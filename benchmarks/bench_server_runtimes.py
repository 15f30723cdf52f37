"""The model server on each runtime against that runtime alone: CPU time of both, by turns.

What a request costs beside the model's own work, with one client on the same machine. The server's
CPU time is that of its process alone; the client's is not counted on either side.

Usage: python benchmarks/bench_server_runtimes.py [ROUNDS]     (default 5)
"""

import json
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from tritonclient import grpc

from camfleet_contracts.model_manifest import ModelManifest
from camfleet_contracts.serving_config import ModelConfig
from camfleet_server.reload.loading import load_servable, warm_up
from camfleet_server.runtimes.base import ModelSource, Servable
from camfleet_server.runtimes.table import Runtimes

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared" / "data" / "models"
BATCH = 20
FILES = {
    "openvino": ("fastestdet-coco/FastestDet.onnx",),
    "onnxruntime": ("fastestdet-coco/FastestDet.onnx",),
    "opencv": ("yolo-fastest-1.1-coco/yolo-fastest-1.1.weights", "yolo-fastest-1.1.cfg"),
    "litert": ("ssd-mobilenet-v1-coco-quant/detect.tflite",),
}


@dataclass
class Case:
    """One model on one runtime, in this process and in the server's."""

    name: str
    raw: Servable
    client: grpc.InferenceServerClient
    server: psutil.Process

    def __post_init__(self) -> None:
        self.inputs = {spec.name: frame_of(spec.shape, spec.datatype) for spec in self.raw.inputs}
        self.outputs = tuple(spec.name for spec in self.raw.outputs)
        self.asked = []
        for spec in self.raw.inputs:
            tensor = grpc.InferInput(spec.name, list(spec.shape), spec.datatype)
            tensor.set_data_from_numpy(self.inputs[spec.name])
            self.asked.append(tensor)

    def run_raw(self) -> float:
        return cpu_of(psutil.Process(), self._infer_raw)

    def run_served(self) -> float:
        return cpu_of(self.server, self._infer_served)

    def _infer_raw(self) -> None:
        self.raw.infer(self.inputs, self.outputs)

    def _infer_served(self) -> None:
        self.client.infer(self.name, self.asked)


def cpu_of(process: psutil.Process, work: Callable[[], None]) -> float:
    """CPU milliseconds of a process for one unit of work."""
    before = process.cpu_times()
    for _ in range(BATCH):
        work()
    after = process.cpu_times()
    used = after.user + after.system - before.user - before.system
    return float(used) / BATCH * 1000


def frame_of(shape: tuple[int, ...], datatype: str) -> Any:
    chance = np.random.default_rng(7)
    if datatype == "UINT8":
        return chance.integers(0, 256, shape, dtype=np.uint8)
    return chance.random(shape, dtype=np.float32)


def publish(folder: Path) -> None:
    for runtime, (model, *beside) in FILES.items():
        version = folder / runtime / "1"
        version.mkdir(parents=True)
        for file in (SHARED / model, *(SHARED / Path(model).parent / name for name in beside)):
            (version / file.name).write_bytes(file.read_bytes())
        (version / "model.json").write_text(json.dumps({"runtimes": [runtime]}))
    entries = [{"config": {"name": name, "base_path": name}} for name in FILES]
    (folder / "config.json").write_text(json.dumps({"model_config_list": entries}))


def start_server(folder: Path) -> tuple[subprocess.Popen[str], str]:
    command = [str(Path(sys.executable).parent / "camfleet-server")]
    command += ["--config_path", str(folder / "config.json"), "--port", "auto", "--rest_port", "0"]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert server.stderr is not None
    address = next(m[1] for line in server.stderr if (m := re.search(r"grpc=(\S+)", line)))
    threading.Thread(target=server.stderr.read, daemon=True).start()
    return server, address


def load_raw(folder: Path, runtime: str) -> Servable:
    version = folder / runtime / "1"
    config = ModelConfig(name=runtime, base_path=version)
    manifest = ModelManifest(runtimes=(runtime,))
    servable = load_servable(ModelSource(runtime, 1, version, config, manifest), Runtimes())
    warm_up(servable, runs=2)
    return servable


def measure(case: Case, rounds: int) -> str:
    case.run_raw(), case.run_served()
    pairs = [(case.run_raw(), case.run_served()) for _ in range(rounds)]
    ratios = sorted(served / raw for raw, served in pairs)
    raw, served = (statistics.median(column) for column in zip(*pairs, strict=True))
    return (
        f"| {case.name}: {Path(FILES[case.name][0]).name} | {raw:.2f} | {served:.2f} | "
        f"**{statistics.median(ratios):.2f}** | {ratios[0]:.2f} to {ratios[-1]:.2f} |"
    )


def main() -> None:
    if not SHARED.is_dir():
        print(f"skipped: it needs the models of {SHARED}")
        return
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        publish(folder)
        server, address = start_server(folder)
        try:
            client = grpc.InferenceServerClient(address)
            while not all(client.is_model_ready(runtime) for runtime in FILES):
                time.sleep(0.1)
            process = psutil.Process(server.pid)
            cases = [Case(r, load_raw(folder, r), client, process) for r in FILES]
            print("\n### Served against the runtime alone, CPU ms a request\n")
            print("| runtime and model | alone | served | ratio | spread |\n|---|---|---|---|---|")
            for case in cases:
                print(measure(case, rounds))
        finally:
            server.terminate()
            server.wait(10)


if __name__ == "__main__":
    main()
