"""Trains the detector of the demo street within a time budget and exports the best one to ONNX.

    python train.py --out DIR --minutes 25

The best state so far is written after every check, so the run may be ended early: run again with
`--export-only` to turn DIR/best.pt into DIR/model.onnx.
"""

from __future__ import annotations

import argparse
import copy
import math
import time
from pathlib import Path

import numpy as np
import torch
from metrics import Found, Truth, average_precision, decoded, detections
from network import STRIDES, StreetDetector
from street_frames import INPUT_HEIGHT, INPUT_WIDTH, LABELS, Frames, frames_of_seeds
from targets import assigned, cell_grid, loss_of
from torch import Tensor

TRAINING_SEEDS = list(range(1000, 1050))
CHECK_SEEDS = list(range(2000, 2006))
BATCH = 16
WARM_UP_STEPS = 100
PEAK_RATE = 2.5e-3


def main() -> None:
    """Train, or export only."""
    options = _options()
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    options.out.mkdir(parents=True, exist_ok=True)
    if not options.export_only:
        training = _kept(options.out / "train.npz", TRAINING_SEEDS, 110)
        check = _kept(options.out / "check.npz", CHECK_SEEDS, 50)
        train(training, check, options)
    export(options.out)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=25)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=20)
    parser.add_argument("--resume", action="store_true", help="start from DIR/best.pt")
    parser.add_argument("--export-only", action="store_true")
    return parser.parse_args()


def _kept(path: Path, seeds: list[int], per_seed: int) -> Frames:
    """Frames of the seeds, rendered once and kept in a file."""
    if not path.exists():
        frames = frames_of_seeds(seeds, per_seed)
        np.savez(path, images=frames.images, boxes=frames.boxes, labels=frames.labels)
    with np.load(path) as stored:
        return Frames(stored["images"], stored["boxes"], stored["labels"])


def train(training: Frames, check: Frames, options: argparse.Namespace) -> None:
    """Train until the time is up; the learning rate follows the clock."""
    network = StreetDetector(len(LABELS)).to(memory_format=torch.channels_last)
    if options.resume:
        network.load_state_dict(torch.load(options.out / "best.pt"))
    averaged = copy.deepcopy(network)
    optimizer = torch.optim.AdamW(network.parameters(), lr=PEAK_RATE, weight_decay=0.02)
    chosen = np.stack(
        [assigned(b, n) for b, n in zip(training.boxes, training.labels, strict=True)]
    )
    batches = _batches(training, chosen, np.random.default_rng(options.seed))
    grid = torch.from_numpy(cell_grid())
    begun_s, best, step, next_check_s = time.monotonic(), 0.0, 0, 150.0
    while (elapsed_s := time.monotonic() - begun_s) < options.minutes * 60:
        rate = _rate(step, elapsed_s / (options.minutes * 60))
        loss = _step(network, optimizer, grid, next(batches), rate)
        _follow(averaged, network, min(0.998, (1 + step) / (20 + step)))
        step += 1
        if step % 50 == 0:
            print(f"step {step} after {elapsed_s:.0f} s: loss {loss:.3f}", flush=True)
        if elapsed_s > next_check_s:
            next_check_s = elapsed_s + 180
            best = _keep_if_better(averaged, check, best, options.out)
    _keep_if_better(averaged, check, best, options.out)


def _rate(step: int, part: float) -> float:
    return PEAK_RATE * min(
        (step + 1) / WARM_UP_STEPS, 0.5 + 0.5 * math.cos(math.pi * min(part, 0.99))
    )


def _batches(training: Frames, chosen: np.ndarray, chance: np.random.Generator):  # noqa: ANN202
    while True:
        order = chance.permutation(len(training.images))
        for start in range(0, len(order) - BATCH + 1, BATCH):
            rows = order[start : start + BATCH]
            images = torch.from_numpy(_varied(training.images[rows], chance))
            rest = (training.boxes[rows], training.labels[rows], chosen[rows].astype(np.int64))
            yield images.permute(0, 3, 1, 2), *(torch.from_numpy(part) for part in rest)


def _varied(images: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    """Other light, other colours, noise; 0..1."""
    count = len(images)
    gain = chance.uniform(0.7, 1.3, (count, 1, 1, 1)) * chance.uniform(0.93, 1.07, (count, 1, 1, 3))
    lift = chance.uniform(-0.06, 0.06, (count, 1, 1, 1))
    varied = images.astype(np.float32) * (gain / 255).astype(np.float32) + lift.astype(np.float32)
    for row in np.flatnonzero(chance.random(count) < 0.3):
        noise = chance.standard_normal(images.shape[1:], np.float32)
        varied[row] += noise * np.float32(chance.uniform(0, 0.03))
    return np.clip(varied, 0, 1)


def _step(
    network: StreetDetector,
    optimizer: torch.optim.Optimizer,
    grid: Tensor,
    batch: tuple[Tensor, Tensor, Tensor, Tensor],
    rate: float,
) -> float:
    images, boxes, labels, chosen = batch
    for group in optimizer.param_groups:
        group["lr"] = rate
    with torch.autocast("cpu", torch.bfloat16):
        raw = network(images.contiguous(memory_format=torch.channels_last))
    loss = loss_of(raw.float(), grid, boxes, labels, chosen)
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), 10.0)
    optimizer.step()
    return float(loss.detach())


@torch.no_grad()
def _follow(averaged: StreetDetector, network: StreetDetector, keep: float) -> None:
    for mean, now in zip(
        averaged.state_dict().values(), network.state_dict().values(), strict=True
    ):
        if mean.dtype.is_floating_point:
            mean.lerp_(now, 1 - keep)
        else:
            mean.copy_(now)


def _keep_if_better(network: StreetDetector, check: Frames, best: float, out: Path) -> float:
    precisions = check_precision(network, check)
    mean = sum(precisions) / len(precisions)
    each = ", ".join(f"{name} {value:.3f}" for name, value in zip(LABELS, precisions, strict=True))
    print(f"mAP@0.5 {mean:.4f} ({each}), best before {best:.4f}", flush=True)
    if mean > best:
        torch.save(network.state_dict(), out / "best.pt")
    return max(mean, best)


@torch.no_grad()
def check_precision(network: StreetDetector, check: Frames) -> list[float]:
    """Average precision of each class on the frames of the check seeds."""
    network.eval()
    network.exporting = True
    found: list[Found] = []
    for start in range(0, len(check.images), BATCH):
        images = (
            torch.from_numpy(check.images[start : start + BATCH]).float().permute(0, 3, 1, 2) / 255
        )
        with torch.autocast("cpu", torch.bfloat16):
            raw = network(images.contiguous(memory_format=torch.channels_last)).float().numpy()
        cells = (decoded(frame, (INPUT_WIDTH, INPUT_HEIGHT), STRIDES) for frame in raw)
        found += [detections(frame, 0.02, 0.55) for frame in cells]
    network.exporting = False
    network.train()
    truth = [Truth(b[n >= 0], n[n >= 0]) for b, n in zip(check.boxes, check.labels, strict=True)]
    return [average_precision(found, truth, label) for label in range(len(LABELS))]


def export(out: Path) -> None:
    """Write DIR/model.onnx from DIR/best.pt: static batch of one, opset 17."""
    network = StreetDetector(len(LABELS))
    network.load_state_dict(torch.load(out / "best.pt"))
    network.eval()
    network.exporting = True
    example = torch.zeros(1, 3, INPUT_HEIGHT, INPUT_WIDTH)
    torch.onnx.export(
        network,
        (example,),
        out / "model.onnx",
        input_names=["images"],
        output_names=["cells"],
        opset_version=17,
        dynamo=False,
    )
    print(f"wrote {out / 'model.onnx'}, {(out / 'model.onnx').stat().st_size} bytes")


if __name__ == "__main__":
    main()
