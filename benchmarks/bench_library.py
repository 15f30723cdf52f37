"""`detect_objects` on a 720p frame: the client's own CPU, and the private server beside OpenVINO.

Usage: python benchmarks/bench_library.py [FRAMES]     (default 60 a part, 6 parts)

First table: CPU time of the whole client process per frame (gRPC's threads too), less scaling the
frame and decoding the answer, which any client must do; beside it a call of tritonclient alone with
the same tensor in shared memory; medians of the parts. Second: frames a second through a private
server against OpenVINO in this process, by turns; both scale, infer in f32 and decode alike. Third:
what a frame takes in both at the pace of one camera, medians by turns.
"""

import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import openvino as ov
from tritonclient import grpc as triton
from tritonclient.utils import shared_memory as shm

from camfleet import ObjectDetection, close_connections
from camfleet.decoders import get_decoder
from camfleet.images import Image
from camfleet.inference.model_client import Answer, prepare_batch
from camfleet.inference.preprocessing import input_size, preprocess_of, to_tensor
from camfleet.inference.served_model import TensorSpec
from camfleet.placement.connections import connect
from camfleet.results.conversion import predictions_from
from camfleet.vision.findings import Found
from camfleet_contracts.catalog import read_catalog
from camfleet_contracts.model_manifest import read_manifest
from paired import paired, show

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared" / "data" / "models"
CONFIDENCE, OVERLAP = 0.3, 0.3
WARM_UP = 20
PARTS = 6
CAMERA_FPS, PACED_FRAMES = 15, 45


def lay_out(volume: Path) -> list[str]:
    """Put the demo's model, and fastestdet where the shared data is, onto a volume."""
    shutil.copytree(ROOT / "models" / "demo-street", volume / "demo-street")
    if not (SHARED / "fastestdet-coco").is_dir():
        return ["demo-street"]
    folder = volume / "fastestdet-coco" / "1"
    folder.mkdir(parents=True)
    for name in ("FastestDet.onnx", "coco.names"):
        shutil.copy(SHARED / "fastestdet-coco" / name, folder)
    entry = read_catalog(ROOT / "models" / "catalog.json").find("fastestdet-coco")
    assert entry is not None
    (folder / "model.json").write_text(json.dumps(entry.manifest))
    return ["demo-street", "fastestdet-coco"]


def frame() -> Image:
    """A 720p picture with something in it."""
    return np.random.default_rng(7).integers(0, 255, (720, 1280, 3), dtype=np.uint8)


class Timed(ObjectDetection):
    """Adds up what scaling and decoding take of the thread's CPU, in the midst of all the rest."""

    scale_s, decode_s = 0.0, 0.0

    def _decoded(self, answer: Answer, confidence: float, overlap: float) -> Found[Any]:
        began_s = time.thread_time()
        found = super()._decoded(answer, confidence, overlap)
        self.decode_s += time.thread_time() - began_s
        self.scale_s += answer.scale_s
        return found


def client_cpu(name: str, image: Image, frames: int) -> str:
    """One row of the first table."""
    detector = Timed(name, server="local")
    detector.load()
    for _ in range(WARM_UP):
        detector.detect_objects(image, CONFIDENCE, OVERLAP)
    bare_call = BareCall(detector, image)
    with closing(bare_call):
        parts = [(*library_ms(detector, image, frames), bare_call.ms(frames)) for _ in range(PARTS)]
    whole, scaling, decoding, rest, bare = (
        statistics.median(part) for part in zip(*parts, strict=True)
    )
    return (
        f"| {name} | {whole:.2f} | {scaling:.2f} | {decoding:.2f} | **{rest:.2f}** | {bare:.2f} |"
    )


def library_ms(detector: Timed, image: Image, frames: int) -> tuple[float, float, float, float]:
    """CPU a frame: all of it, scaling, decoding, the rest."""
    detector.scale_s = detector.decode_s = 0.0
    began_s = time.process_time()
    for _ in range(frames):
        detector.detect_objects(image, CONFIDENCE, OVERLAP)
    spent = (time.process_time() - began_s, detector.scale_s, detector.decode_s)
    whole, scaling, decoding = (part / frames * 1e3 for part in spent)
    return whole, scaling, decoding, whole - scaling - decoding


class BareCall:
    """A call of tritonclient with a tensor that lies in shared memory already."""

    def __init__(self, detector: ObjectDetection, image: Image) -> None:
        connection = connect("local")
        assert connection.private is not None
        answer = connection.client.ask(image, detector.model_id)
        tensor, _ = prepare_batch([image], answer.model)
        self._model, self._name = detector.model_id, f"bench-{os.getpid()}-{detector.model_id}"
        self._client = triton.InferenceServerClient(connection.private.address)
        self._memory = shm.create_shared_memory_region(self._name, f"/{self._name}", tensor.nbytes)
        shm.set_shared_memory_region(self._memory, [tensor])
        self._client.register_system_shared_memory(self._name, f"/{self._name}", tensor.nbytes)
        self._given = triton.InferInput(answer.model.input.name, list(tensor.shape), "UINT8")
        self._given.set_shared_memory(self._name, tensor.nbytes)

    def ms(self, frames: int) -> float:
        """CPU of a call."""
        began_s = time.process_time()
        for _ in range(frames):
            self._client.infer(self._model, [self._given])
        return (time.process_time() - began_s) / frames * 1e3

    def close(self) -> None:
        """Leave no memory behind."""
        self._client.unregister_system_shared_memory(self._name)
        self._client.close()
        shm.destroy_shared_memory_region(self._memory)


def in_process(volume: Path, name: str) -> Callable[[Image], Any]:
    """OpenVINO as a script uses it, with our scaling and decoder."""
    folder = volume / name / "1"
    manifest = read_manifest(folder)
    assert manifest is not None
    assert manifest.postprocess is not None
    core = ov.Core()
    compiled = core.compile_model(
        str(folder / manifest.model_file), "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
    )
    port = compiled.inputs[0]
    spec = TensorSpec(port.get_any_name(), "FP32", tuple(port.shape))
    preprocess = preprocess_of(manifest)
    size = input_size(preprocess, spec, name)
    decode = get_decoder(manifest.postprocess.decoder)
    names = [output.get_any_name() for output in compiled.outputs]

    def detect(image: Image) -> Any:
        tensor, resize = to_tensor(image, preprocess, spec, size)
        results = compiled(tensor)
        outputs = {each: results[number] for number, each in enumerate(names)}
        return predictions_from(decode(outputs, manifest, resize, CONFIDENCE, OVERLAP))

    return detect


def served(name: str) -> Callable[[Image], Any]:
    """The library through its private server."""
    detector = ObjectDetection(name, server="local")
    detector.load()
    return lambda image: detector.detect_objects(image, CONFIDENCE, OVERLAP).predictions


def counted(detect: Callable[[Image], Any], image: Image) -> Callable[[], int]:
    """One frame a unit of work."""

    def work() -> int:
        detect(image)
        return 1

    return work


def at_a_cameras_pace(detect: Callable[[Image], Any], image: Image) -> float:
    """What a frame takes, in ms, when they come as one camera sends them."""
    took_s = []
    due_s = time.perf_counter()
    for _ in range(PACED_FRAMES):
        due_s += 1 / CAMERA_FPS
        time.sleep(max(0.0, due_s - time.perf_counter()))
        began_s = time.perf_counter()
        detect(image)
        took_s.append(time.perf_counter() - began_s)
    return statistics.median(took_s) * 1e3


def paced_row(name: str, volume: Path, image: Image) -> str:
    """One row of the third table."""
    both = in_process(volume, name), served(name)
    for detect in both:
        at_a_cameras_pace(detect, image)
    rounds = [tuple(at_a_cameras_pace(detect, image) for detect in both) for _ in range(PARTS)]
    own, other = (statistics.median(times) for times in zip(*rounds, strict=True))
    ratios = sorted(other / own for own, other in rounds)
    return (
        f"| {name} | {own:.1f} | {other:.1f} | **{statistics.median(ratios):.2f}** | "
        f"{ratios[0]:.2f} to {ratios[-1]:.2f} |"
    )


@contextmanager
def volume_of_models() -> Iterator[tuple[Path, list[str]]]:
    """A volume that the private server serves, until the block ends."""
    with tempfile.TemporaryDirectory() as folder:
        volume = Path(folder) / "models"
        names = lay_out(volume)
        os.environ["MODELS_DIR"] = str(volume)  # noqa: TID251 - what the library reads
        os.environ["CAMFLEET_CACHE"] = f"{folder}/cache"  # noqa: TID251 - the same
        try:
            yield volume, names
        finally:
            close_connections()


def main() -> None:
    """Print the tables."""
    frames = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    image = frame()
    cv2.setNumThreads(1)  # what it does is then in the thread whose CPU is read
    with volume_of_models() as (volume, names):
        sys.stdout.write(
            "### CPU of the client, ms a frame\n\n| model | all | scaling | decoding | rest | "
            "tritonclient alone |\n|---|---|---|---|---|---|\n"
        )
        for name in names:
            sys.stdout.write(client_cpu(name, image, frames) + "\n")
        rows = [
            paired(name, counted(in_process(volume, name), image), counted(served(name), image))
            for name in names
        ]
        show("A private server to OpenVINO in the process", "in process", "served", rows)
        sys.stdout.write(
            f"\n### The same at {CAMERA_FPS} frames a second, ms a frame\n\n"
            "| model | in process | served | ratio | spread |\n|---|---|---|---|---|\n"
        )
        for name in names:
            sys.stdout.write(paced_row(name, volume, image) + "\n")


if __name__ == "__main__":
    main()
