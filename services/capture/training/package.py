"""Puts an exported detector into a version folder of the model volume, with labels and manifest.

python package.py --onnx DIR/model.onnx --out ../../../models/demo-street/1 --confidence 0.5
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
from pathlib import Path

LABELS = ("person", "car", "bicycle")
WIDTH, HEIGHT = 320, 192
STRIDES = (4, 8, 16)
CELLS = sum((WIDTH // stride) * (HEIGHT // stride) for stride in STRIDES)


def main() -> None:
    """Write model.onnx, labels.txt and model.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--onnx", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="version folder")
    parser.add_argument("--confidence", type=float, default=0.5)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(options.onnx, options.out / "model.onnx")
    (options.out / "labels.txt").write_text("\n".join(LABELS) + "\n")
    manifest = described(options.confidence) | {"files": sums(options.out)}
    (options.out / "model.json").write_text(json.dumps(manifest, indent=2) + "\n")


def described(confidence: float) -> dict[str, object]:
    """The manifest without the sums of the files."""
    return {
        "id": "demo-street",
        "description": "People, cars and bicycles of the embedded demo scene",
        "purpose": "ObjectDetection",
        "framework_type": "onnx",
        "model_file": "model.onnx",
        "label_file": "labels.txt",
        "license": "Apache-2.0",
        "preprocess": {
            "resize": "stretch",
            "size": [WIDTH, HEIGHT],
            "layout": "NCHW",
            "colour": "RGB",
            "mean": [0, 0, 0],
            "scale": 0.00392156862745098,
        },
        "postprocess": {
            "decoder": "yolox",
            "confidence": confidence,
            "iou": 0.55,
            "parameters": {"strides": list(STRIDES)},
        },
        "inputs": [{"name": "images", "datatype": "FP32", "shape": [1, 3, HEIGHT, WIDTH]}],
        "outputs": [{"name": "cells", "datatype": "FP32", "shape": [1, CELLS, 5 + len(LABELS)]}],
        "precision": "f32",
    }


def sums(folder: Path) -> dict[str, str]:
    """SHA-256 of the files that the model needs."""
    names = ("model.onnx", "labels.txt")
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names}


if __name__ == "__main__":
    main()
