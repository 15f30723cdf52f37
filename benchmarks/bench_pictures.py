"""What the image entrance saves a camera service: pixels against the model's own tensor, by turns.

Usage: python benchmarks/bench_pictures.py [SECONDS]     (default 1.0 a turn)

`fastestdet-coco` (352x352, FP32: 1.5 MB a tensor, 0.4 MB of pixels) where the shared data is there.
CPU is that of this process and of the server together.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import av
import numpy as np

from camfleet.inference.model_client import ModelClient
from paired import paired, show

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared" / "data" / "models" / "fastestdet-coco" / "FastestDet.onnx"
BATCH = 10
TICKS_PER_S = 100


class TensorClient(ModelClient):
    """Prepares the model's own tensor, as for servers without the image entrance."""

    def _server_takes_pictures(self, name: str) -> bool:
        return not name


class Camera:
    """Asks about a 720p frame again and again, with a frame for each thread."""

    def __init__(self, client: ModelClient, threads: int) -> None:
        self._client = client
        pixels = np.random.default_rng(1).integers(0, 255, (720, 1280, 3), np.uint8)
        frame = av.VideoFrame.from_ndarray(pixels, format="bgr24")
        self._frames = [frame.reformat(format="yuv420p") for _ in range(threads)]
        self._pool = ThreadPoolExecutor(threads)

    def work(self) -> int:
        list(self._pool.map(self._ask, self._frames))
        return BATCH * len(self._frames)

    def _ask(self, frame: av.VideoFrame) -> None:
        for _ in range(BATCH):
            self._client.ask(frame, "fastestdet-coco")


@contextmanager
def serving(folder: Path) -> Iterator[tuple[str, int]]:
    """Run the server on a copy of the model and the catalogue; yields HOST:PORT and its pid."""
    version = folder / "fastestdet-coco" / "1"
    version.mkdir(parents=True)
    shutil.copy(SHARED, version)
    shutil.copy(ROOT / "models" / "catalog.json", folder)
    entry = {"config": {"name": "fastestdet-coco", "base_path": "fastestdet-coco"}}
    (folder / "config.json").write_text(json.dumps({"model_config_list": [entry]}))
    command = [str(Path(sys.executable).parent / "camfleet-server")]
    command += ["--config_path", str(folder / "config.json"), "--port", "auto", "--rest_port", "0"]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert server.stderr is not None
    try:
        lines = iter(server.stderr)
        address = next(m[1] for line in lines if (m := re.search(r"grpc=([\d.:]+)", line)))
        next(line for line in lines if "version available" in line)
        threading.Thread(target=server.stderr.read, daemon=True).start()
        yield address, server.pid
    finally:
        server.terminate()
        server.wait(10)


def cpu_ms_per_frame(camera: Camera, server: int) -> float:
    """CPU of both processes for one frame."""
    began = time.process_time(), _server_cpu_s(server)
    frames = sum(camera.work() for _ in range(5))
    ended = time.process_time(), _server_cpu_s(server)
    return sum(end - begin for begin, end in zip(began, ended, strict=True)) / frames * 1000


def _server_cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    if not SHARED.is_file():
        sys.exit(f"bench_pictures: {SHARED} is not there")
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as (address, pid):
        rows = []
        for threads in (1, 4):
            own = Camera(TensorClient(address), threads)
            pixels = Camera(ModelClient(address), threads)
            name = f"{threads} cameras"
            rows.append(paired(name, own.work, pixels.work, seconds=seconds))
            spent = [cpu_ms_per_frame(camera, pid) for camera in (own, pixels)]
            sys.stdout.write(
                f"{name}: CPU {spent[0]:.2f} ms own tensor, {spent[1]:.2f} ms pixels\n"
            )
        show("Camera service: frames of 1280x720 to fastestdet-coco", "tensor", "pixels", rows)


if __name__ == "__main__":
    main()
