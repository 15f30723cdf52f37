"""What demo-street found in films of the demo street, recorded by record_street.py.

Boxes are whole pixels and confidences fortieths; boxes that end in the upper half of the picture,
far from the gate, are left out. An object is kept as its difference from the nearest one of the
frame before, which makes the file a third of the size.
"""

import io
import lzma
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from camfleet.detections import Detections
from camfleet_capture.demo.crossings import CrossingBook
from camfleet_capture.demo.traffic import Traffic

RECORDED = Path(__file__).with_name("recorded")
SIZE = (640, 360)
FPS = 5.0
LABELS = ("person", "car", "bicycle")
CONFIDENCE_STEPS = 40
LOWEST_BOTTOM = 180.0
LEAST_CONFIDENCE = 0.3  # what ByteTrack takes at a threshold of 0.5
NEAR_PX = 60

Rows = NDArray[np.int16]  # (N, 6): x1, y1, x2, y2, confidence, class


@dataclass(frozen=True, slots=True)
class Run:
    """One film: its seed, and the rows of each frame."""

    seed: int
    frames: tuple[Rows, ...]

    def detections(self) -> Iterator[tuple[float, Detections]]:
        """Each frame's time and what was found in it."""
        for number, rows in enumerate(self.frames):
            yield number / FPS, _detections(rows)

    @property
    def truth(self) -> dict[str, int]:
        """How many really crossed the gate, by direction."""
        return CrossingBook(Traffic(self.seed)).counts((len(self.frames) - 1) / FPS)


def rows_of(found: Detections) -> Rows:
    """What is recorded of one frame."""
    kept = found.select(
        (found.confidence >= LEAST_CONFIDENCE) & (found.xyxy[:, 3] >= LOWEST_BOTTOM)
    )
    confidence = kept.confidence * CONFIDENCE_STEPS
    return np.column_stack([kept.xyxy, confidence, kept.class_id]).round().astype(np.int16)


def write_runs(path: Path, runs: list[Run]) -> None:
    """Keep the runs in one file."""
    shape = np.array([(run.seed, len(run.frames)) for run in runs], np.int32)
    packed = [_pack(run.frames) for run in runs]
    columns = {name: np.concatenate([one[name] for one in packed]) for name in packed[0]}
    steps, births = columns.pop("steps").T, columns.pop("births").T
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, shape=shape, steps=steps, births=births, **columns)
    path.write_bytes(lzma.compress(buffer.getvalue(), preset=9 | lzma.PRESET_EXTREME))


def read_runs(path: Path) -> list[Run]:
    """All runs of a file."""
    with np.load(io.BytesIO(lzma.decompress(path.read_bytes()))) as columns:
        streams = {
            name: iter(columns[name].T if name in {"steps", "births"} else columns[name].tolist())
            for name in ("steps", "births", "goes_on", "born")
        }
        return [Run(int(seed), _unpack(streams, int(frames))) for seed, frames in columns["shape"]]


def _detections(rows: Rows) -> Detections:
    return Detections(
        rows[:, :4].astype(np.float32),
        (rows[:, 4] / CONFIDENCE_STEPS).astype(np.float32),
        rows[:, 5].astype(np.int64),
        tuple(LABELS[index] for index in rows[:, 5]),
    )


def _pack(frames: tuple[Rows, ...]) -> dict[str, NDArray[Any]]:
    before = np.empty((0, 6), np.int16)
    goes_on: list[bool] = []
    steps, births, born = [before], [before], []
    for rows in frames:
        pairs, new = _matched(before, rows)
        goes_on += [index in pairs for index in range(len(before))]
        followed = rows[[pairs[index] for index in sorted(pairs)]]
        steps.append(followed - before[sorted(pairs)])
        births.append(rows[new])
        born.append(len(new))
        before = np.concatenate([followed, rows[new]])
    return {
        "goes_on": np.array(goes_on, np.uint8),
        "born": np.array(born, np.uint8),
        "steps": np.concatenate(steps).astype(np.int8),
        "births": np.concatenate(births),
    }


def _matched(before: Rows, rows: Rows) -> tuple[dict[int, int], list[int]]:
    """Which object of the frame before each one continues, and those that continue none."""
    apart = np.abs(before[:, None, :4].astype(int) - rows[None, :, :4]).sum(axis=2)
    pairs: dict[int, int] = {}
    for flat in np.argsort(apart, axis=None, kind="stable"):
        old, new = divmod(int(flat), len(rows))
        if apart[old, new] < NEAR_PX and old not in pairs and new not in pairs.values():
            pairs[old] = new
    return pairs, [index for index in range(len(rows)) if index not in pairs.values()]


def _unpack(streams: dict[str, Iterator[Any]], frames: int) -> tuple[Rows, ...]:
    rows = np.empty((0, 6), np.int16)
    unpacked = []
    for _ in range(frames):
        going_on = [next(streams["goes_on"]) == 1 for _ in rows]
        kept = rows[np.array(going_on, bool)] if going_on else rows
        steps = [next(streams["steps"]) for _ in kept]
        born = [next(streams["births"]) for _ in range(next(streams["born"]))]
        moved = [row + step for row, step in zip(kept, steps, strict=True)]
        rows = np.array([*moved, *born], np.int16).reshape(-1, 6)
        unpacked.append(rows)
    return tuple(unpacked)
