"""Measures the committed detector on seeds it has never seen and writes the report.

    python evaluate.py --model ../../../models/demo-street/1 --frames 300 --report DIR/report.json

Runs the ONNX file with OpenVINO on one thread, through the stream that a reader would get: every
frame is encoded with x264 ultrafast at the settings of the capture service and decoded again.
Needs the fleet's own environment (openvino, av), not PyTorch.
"""

from __future__ import annotations

import argparse
import json
import time
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np
import openvino as ov
from metrics import Found, Truth, average_precision, decoded, detections, matched, overlaps
from PIL import Image
from street_frames import INPUT_HEIGHT, INPUT_WIDTH, LABELS, shrunk, true_boxes

from camfleet_capture.demo import FRAMES_PER_SECOND, StreetScene

if TYPE_CHECKING:
    from collections.abc import Iterator

UNSEEN_SEEDS = (7, 9, 3000, 3001, 3002, 3003)
SPAN_S = 300.0  # one whole day of the scene
STRIDES = (4, 8, 16)
LEAST_CONFIDENCE = 0.02
NMS_IOU = 0.55
GATE_BAND = 40.0  # pixels of the 360 rows above and below the gate


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="version folder")
    parser.add_argument("--frames", type=int, default=300)
    parser.add_argument("--report", type=Path, required=True)
    options = parser.parse_args()
    infer = compiled(options.model / "model.onnx")
    per_seed = options.frames // len(UNSEEN_SEEDS)
    found, truth, spent_s = [], [], []
    for seed in UNSEEN_SEEDS:
        for picture, real in streamed(seed, per_seed):
            begun = time.perf_counter()
            raw = infer(picture)
            spent_s.append(time.perf_counter() - begun)
            cells = decoded(raw, (INPUT_WIDTH, INPUT_HEIGHT), STRIDES)
            found.append(detections(cells, LEAST_CONFIDENCE, NMS_IOU))
            truth.append(real)
    report = summary(found, truth) | {
        "inference_ms_median": round(1000 * float(np.median(spent_s)), 2)
    }
    options.report.write_text(json.dumps(report, indent=2) + "\n")
    print(json.dumps(report, indent=2))


def compiled(path: Path):  # noqa: ANN201 - a function of the vendor's request
    """The model as a function from a picture of its size to its raw output."""
    model = ov.Core().compile_model(str(path), "CPU", {"INFERENCE_NUM_THREADS": 1})
    request = model.create_infer_request()

    def infer(picture: np.ndarray) -> np.ndarray:
        images = (picture.astype(np.float32) / 255).transpose(2, 0, 1)[None]
        return np.array(request.infer({0: images})[0][0])

    return infer


def streamed(seed: int, count: int) -> Iterator[tuple[np.ndarray, Truth]]:
    """Frames of short films spread over a day, after x264, shrunk as PyAV's scaler is asked to."""
    scene = StreetScene(seed)
    for begins_s in np.linspace(0, SPAN_S, count, endpoint=False):
        times_s = [float(begins_s) + index / FRAMES_PER_SECOND for index in range(3)]
        picture = through_x264([scene.frame(time_s) for time_s in times_s])
        boxes, labels = true_boxes(scene, times_s[-1])
        small = shrunk(Image.fromarray(picture), 1)
        yield small, Truth(boxes[labels >= 0], labels[labels >= 0])


def through_x264(pictures: list[np.ndarray]) -> np.ndarray:
    """The last picture after x264 ultrafast, as the capture service encodes."""
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = 640, 360, "yuv420p"
    encoder.time_base = Fraction(1, FRAMES_PER_SECOND)
    encoder.options = {"preset": "ultrafast", "tune": "zerolatency", "crf": "25", "threads": "1"}
    decoder = av.CodecContext.create("h264", "r")
    shown = []
    for index, picture in enumerate(pictures):
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts = index
        for packet in encoder.encode(frame):
            shown += decoder.decode(packet)
    for packet in encoder.encode(None):
        shown += decoder.decode(packet)
    shown += decoder.decode(None)
    return shown[-1].to_ndarray(format="rgb24")


def summary(found: list[Found], truth: list[Truth]) -> dict[str, object]:
    """Everything that the model card states."""
    precisions = {name: average_precision(found, truth, row) for row, name in enumerate(LABELS)}
    confidence = best_confidence(found, truth)
    sure = [
        Found(
            f.boxes[f.scores >= confidence],
            f.scores[f.scores >= confidence],
            f.labels[f.scores >= confidence],
        )
        for f in found
    ]
    return {
        "seeds": list(UNSEEN_SEEDS),
        "frames": len(found),
        "objects": sum(len(real.labels) for real in truth),
        "map50": round(sum(precisions.values()) / len(precisions), 4),
        "ap50": {name: round(value, 4) for name, value in precisions.items()},
        "best_confidence": confidence,
        **at_confidence(sure, truth),
        "recall_near_gate": near_gate(sure, truth),
    }


def best_confidence(found: list[Found], truth: list[Truth]) -> float:
    """The confidence with the highest F1 over all classes."""
    parts = [matched(found, truth, label) for label in range(len(LABELS))]
    scores, hits = (np.concatenate(column) for column in zip(*parts, strict=True))
    wanted = sum(len(real.labels) for real in truth)
    choices = np.arange(0.1, 0.8, 0.05)
    f1 = [2 * hits[scores >= c].sum() / (wanted + (scores >= c).sum()) for c in choices]
    return round(float(choices[int(np.argmax(f1))]), 2)


def at_confidence(sure: list[Found], truth: list[Truth]) -> dict[str, float]:
    """Precision, recall and false detections per frame."""
    hits = sum(int(matched(sure, truth, label)[1].sum()) for label in range(len(LABELS)))
    claimed, wanted = sum(len(f.labels) for f in sure), sum(len(t.labels) for t in truth)
    return {
        "precision": round(hits / max(claimed, 1), 4),
        "recall": round(hits / max(wanted, 1), 4),
        "false_per_frame": round((claimed - hits) / len(sure), 3),
    }


def near_gate(sure: list[Found], truth: list[Truth]) -> dict[str, float]:
    """Recall of each class for boxes that end near the gate."""
    gate_y = StreetScene(UNSEEN_SEEDS[0]).lines["gate"]["from"][1] * INPUT_HEIGHT
    band = GATE_BAND / 360 * INPUT_HEIGHT
    recalls = {}
    for label, name in enumerate(LABELS):
        seen = wanted = 0
        for f, t in zip(sure, truth, strict=True):
            boxes = t.boxes[(t.labels == label) & (np.abs(t.boxes[:, 3] - gate_y) < band)]
            shared = overlaps(boxes, f.boxes[f.labels == label])
            seen += int((shared.max(1, initial=0) >= 0.5).sum())
            wanted += len(boxes)
        recalls[name] = round(seen / max(wanted, 1), 4)
    return recalls


if __name__ == "__main__":
    main()
