"""What analytics does with a frame, beside decoding it; the model's own time is the server's.

Usage: python benchmarks/bench_analytics_frame.py [FRAMES]    (150, ten seconds of the demo)
"""

import io
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import openvino as ov
from numpy.typing import NDArray

from camfleet.decoders import get_decoder
from camfleet.detections import Detections
from camfleet.inference.detector import Detected
from camfleet.inference.preprocessing import input_size, preprocess_of, to_tensor
from camfleet.inference.served_model import ServedModel, TensorSpec
from camfleet.service import messages
from camfleet.service.analysis import Analysis
from camfleet.service.live import LiveHub
from camfleet.video.frames import Frame
from camfleet_capture.demo import FRAMES_PER_SECOND, StreetScene
from camfleet_contracts.cameras import Line, Pipeline
from camfleet_contracts.events import Origin
from camfleet_contracts.model_manifest import read_manifest
from paired import paired, show

MODEL = Path(__file__).resolve().parent.parent / "models" / "demo-street" / "1"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
Outputs = dict[str, NDArray[Any]]
Look = Callable[[int, av.VideoFrame], object]


def film(frames: int) -> bytes:
    """The demo street as capture encodes it."""
    scene, file = StreetScene(7), io.BytesIO()
    with av.open(file, "w", format="mp4") as out:
        stream = out.add_stream("libx264", FRAMES_PER_SECOND)
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        stream.options = {"preset": "ultrafast", "tune": "zerolatency", "threads": "1"}
        stream.time_base = Fraction(1, FRAMES_PER_SECOND)
        for number in range(frames):
            picture = av.VideoFrame.from_ndarray(scene.frame(number / FRAMES_PER_SECOND), "rgb24")
            picture.pts = number
            out.mux(stream.encode(picture))
        out.mux(stream.encode(None))
    return file.getvalue()


class Camera:
    """One camera's film, and what is done with each of its frames."""

    def __init__(self, clip: bytes) -> None:
        self._clip = clip
        self._live = LiveHub().camera("street")
        manifest = read_manifest(MODEL)
        assert manifest is not None
        core = ov.Core()
        self._compiled = core.compile_model(str(MODEL / "model.onnx"), "CPU")
        port = self._compiled.inputs[0]
        spec = TensorSpec(port.get_any_name(), "FP32", tuple(port.shape))
        self._model = ServedModel("demo-street", 1, manifest, spec)
        self._preprocess = preprocess_of(manifest)
        self._size = input_size(self._preprocess, spec, "demo-street")
        self._answers: list[Outputs] = []
        self._analysis = self._begin()
        self.run(self._learn_answer)

    def run(self, look: Look) -> int:
        """Demux, hand on to live video, decode; `look` gets every frame."""
        with av.open(io.BytesIO(self._clip), "r") as container:
            stream = container.streams.video[0]
            stream.thread_type = "SLICE"
            self._live.push_stream(stream)
            number = 0
            for packet in container.demux(stream):
                if packet.size:
                    self._live.push_packet(packet)
                for picture in packet.decode():
                    look(number, picture)
                    number += 1
        return number

    def decode_only(self) -> int:
        with av.open(io.BytesIO(self._clip), "r") as container:
            stream = container.streams.video[0]
            stream.thread_type = "SLICE"
            return len(list(map(type, container.decode(stream))))  # keeps no frame

    def read(self) -> int:
        return self.run(lambda *_: None)

    def preprocess(self) -> int:
        return self.run(self._detect)

    def everything(self) -> int:
        self._analysis = self._begin()
        return self.run(self._look)

    def _begin(self) -> Analysis:
        gate = Line(name="gate", start=(0, 0.6), end=(1, 0.6))
        analysis = Analysis(Pipeline(model="demo-street", fps=FRAMES_PER_SECOND, lines=(gate,)), {})
        analysis.prepare()
        return analysis

    def _learn_answer(self, _: int, picture: av.VideoFrame) -> None:
        tensor, _resize = to_tensor(picture, self._preprocess, self._model.input, self._size)
        answer = self._compiled(tensor)
        outputs = self._compiled.outputs
        self._answers.append({port.get_any_name(): np.array(answer[port]) for port in outputs})

    def _detect(self, number: int, picture: av.VideoFrame) -> Detections:
        _, resize = to_tensor(picture, self._preprocess, self._model.input, self._size)
        manifest = self._model.manifest
        assert manifest.postprocess is not None
        decode = get_decoder(manifest.postprocess.decoder)
        confidence = self._analysis.lowest_confidence
        return decode(self._answers[number], manifest, resize, confidence, manifest.postprocess.iou)

    def _look(self, number: int, picture: av.VideoFrame) -> None:
        detected = Detected(self._detect(number, picture), self._model, 0.0)
        frame = Frame(picture, number, number / FRAMES_PER_SECOND, NOW, NOW, 0.0)
        findings = self._analysis.look(detected.detections, self._model, frame)
        messages.results_of(Origin("box", "street"), frame, detected, findings).to_json()


def main() -> None:
    frames = int(sys.argv[1]) if len(sys.argv) > 1 else 150
    camera = Camera(film(frames))
    steps = {
        "read, hand on to live video": camera.read,
        "+ scale, normalise, decode the answer": camera.preprocess,
        "+ track, count, message": camera.everything,
    }
    rows = [paired(name, camera.decode_only, step) for name, step in steps.items()]
    show("Analytics: frames of 640x360 against decoding alone", "decoded", "analysed", rows)
    for row in rows:
        more_ms = 1000 / row.a_per_s * (1 / row.ratio - 1)
        sys.stdout.write(f"{row.name}: {more_ms:.2f} ms more\n")


if __name__ == "__main__":
    main()
