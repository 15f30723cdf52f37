"""What somebody writes who does without camfleet: one camera, one script, everything in it.

    python benchmarks/detection_script.py RTSP_URL MODEL.onnx KIND CONFIDENCE FPS [--read-all]

Pictures by OpenCV, inference by OpenVINO in the process, tracking by `trackers`, counting by
`supervision`. It prints a line for every look, and one of JSON for every crossing. With --read-all
every picture is converted, as in most tutorials; without, only those that are looked at.
"""

import argparse
import json
import time
from typing import Any

import cv2
import numpy as np
import openvino as ov
import supervision as sv
from numpy.typing import NDArray
from trackers import ByteTrackTracker

Floats = NDArray[np.float32]
SOURCE_FPS = 15
SAME_IOU = 0.45
SIZES = {"fastestdet": (352, 352), "yolox": (320, 192)}
LINES = (((0.0, 0.6), (1.0, 0.6)), ((0.5, 0.0), (0.5, 1.0)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("model")
    parser.add_argument("kind", choices=SIZES)
    parser.add_argument("confidence", type=float)
    parser.add_argument("fps", type=float)
    parser.add_argument("--read-all", action="store_true")
    run(parser.parse_args())


def run(options: argparse.Namespace) -> None:
    settings = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
    compiled = ov.Core().compile_model(options.model, "CPU", settings)
    capture = cv2.VideoCapture(options.url, cv2.CAP_FFMPEG)
    tracker = ByteTrackTracker(frame_rate=options.fps, minimum_iou_threshold=0.2)
    lines: list[sv.LineZone] = []
    every, number = round(SOURCE_FPS / options.fps), 0
    while capture.grab():
        is_due, number = number % every == 0, number + 1
        if not (is_due or options.read_all):
            continue
        _, picture = capture.retrieve()
        if not is_due:
            continue
        lines = lines or [line_in(picture, *line) for line in LINES]
        found = detect(compiled, picture, options.kind, options.confidence)
        count(lines, tracker.update(found))
        print("looked", flush=True)  # so that it can be told what one look costs


def line_in(picture: Any, start: tuple[float, float], end: tuple[float, float]) -> sv.LineZone:
    height, width = picture.shape[:2]
    return sv.LineZone(
        sv.Point(start[0] * width, start[1] * height),
        sv.Point(end[0] * width, end[1] * height),
        triggering_anchors=(sv.Position.BOTTOM_CENTER,),
    )


def detect(compiled: Any, picture: Any, kind: str, confidence: float) -> sv.Detections:
    size = SIZES[kind]
    blob = cv2.dnn.blobFromImage(picture, 1 / 255, size, swapRB=kind == "yolox")
    output = compiled(blob)[0][0]
    boxes, scores, classes = (fastestdet if kind == "fastestdet" else yolox)(output, confidence)
    scale = np.array([picture.shape[1] / size[0], picture.shape[0] / size[1]] * 2)
    found = sv.Detections(boxes * scale, confidence=scores, class_id=classes)
    return found.with_nms(SAME_IOU)


def fastestdet(cells: Floats, confidence: float) -> tuple[Floats, Floats, NDArray[np.int64]]:
    scores = cells[0] ** 0.6 * cells[5:].max(axis=0) ** 0.4
    y, x = np.nonzero(scores > confidence)
    tx, ty, tw, th = cells[1:5, y, x]
    rows, columns = scores.shape
    centre = np.stack([(x + np.tanh(tx)) / columns, (y + np.tanh(ty)) / rows], axis=1)
    half = np.stack([1 / (1 + np.exp(-tw)), 1 / (1 + np.exp(-th))], axis=1) / 2
    boxes = np.concatenate([centre - half, centre + half], axis=1)
    boxes *= np.array(SIZES["fastestdet"] * 2)
    return boxes, scores[y, x], cells[5:, y, x].argmax(axis=0)


def yolox(rows: Floats, confidence: float) -> tuple[Floats, Floats, NDArray[np.int64]]:
    width, height = SIZES["yolox"]
    grids, strides = [], []
    for stride in (4, 8, 16):
        y, x = np.mgrid[: height // stride, : width // stride]
        grids.append(np.stack([x.ravel(), y.ravel()], axis=1))
        strides.append(np.full((x.size, 1), stride))
    grid, stride_of = np.concatenate(grids), np.concatenate(strides)
    scores = rows[:, 4] * rows[:, 5:].max(axis=1)
    chosen = scores > confidence
    centre = (rows[chosen, :2] + grid[chosen]) * stride_of[chosen]
    half = np.exp(rows[chosen, 2:4]) * stride_of[chosen] / 2
    boxes = np.concatenate([centre - half, centre + half], axis=1)
    return boxes, scores[chosen], rows[chosen, 5:].argmax(axis=1)


def count(lines: list[sv.LineZone], tracked: sv.Detections) -> None:
    confirmed = tracked[tracked.tracker_id >= 0] if len(tracked) else tracked
    for number, line in enumerate(lines):
        crossed_in, crossed_out = line.trigger(confirmed)
        if crossed_in.any() or crossed_out.any():
            facts = {"line": number, "in": line.in_count, "out": line.out_count, "at": time.time()}
            print(json.dumps(facts), flush=True)


if __name__ == "__main__":
    main()
