"""The detections of overlapping tiles as one set: every object once, and in one piece.

What is cut off by the border of a tile is a fragment. It goes where a whole box covers it, and
fragments of neighbouring tiles that overlap are put together.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from camfleet.decoders.suppression import suppress_by_class
from camfleet.detections import Detections
from camfleet.inference.crops import Rectangle

SAME_OBJECT_IOU = 0.5
COVERED = 0.6  # share of a fragment that lies in a whole box of its class
JOINED = 0.15  # share of the smaller one of two fragments that lies in the other
BORDER = 3  # pixels; a box that ends so near to a tile's border may go on beyond it


@dataclass(slots=True, eq=False)
class _Piece:
    """Fragments that were put together."""

    box: NDArray[np.float32]
    confidence: float
    class_id: int
    label: str
    tiles: set[int]

    def belongs_to(self, other: "_Piece") -> bool:
        """One object gives one fragment in a tile, and they overlap where the tiles do."""
        if self.class_id != other.class_id or self.tiles & other.tiles:
            return False
        shared = _shared(self.box[None], other.box[None])[0, 0]
        smaller = min(_areas(self.box[None])[0], _areas(other.box[None])[0])
        return bool(shared > JOINED * smaller)

    def take(self, other: "_Piece") -> None:
        """Become the box around both."""
        self.box = np.concatenate(
            [np.minimum(self.box[:2], other.box[:2]), np.maximum(self.box[2:], other.box[2:])]
        )
        self.confidence = max(self.confidence, other.confidence)
        self.tiles |= other.tiles


def merge(
    found: Sequence[Detections], parts: Sequence[Rectangle], size: tuple[int, int]
) -> Detections:
    """One set of detections in the picture's pixels out of those of its parts."""
    placed = [
        one.placed(np.ones(2, np.float32), np.asarray(part[:2], np.float32))
        for one, part in zip(found, parts, strict=True)
    ]
    cut = [_are_cut(one.xyxy, part, size) for one, part in zip(placed, parts, strict=True)]
    tiles = np.repeat(np.arange(len(placed)), [len(one) for one in placed])
    everything, is_cut = _joined(placed), np.concatenate(cut)
    whole = everything.select(~is_cut)
    kept = suppress_by_class(whole.xyxy, whole.confidence, whole.class_id, SAME_OBJECT_IOU)
    whole, fragments = whole.select(kept), everything.select(is_cut)
    alone = ~_are_covered(fragments, whole)
    return _joined([whole, _put_together(fragments.select(alone), tiles[is_cut][alone])])


def _are_cut(
    xyxy: NDArray[np.float32], part: Rectangle, size: tuple[int, int]
) -> NDArray[np.bool_]:
    """Whether a box ends at a border of its part that is no border of the picture."""
    inner = np.asarray([part[0] > 0, part[1] > 0, part[2] < size[0] - 1, part[3] < size[1] - 1])
    near: NDArray[np.bool_] = np.abs(xyxy - np.asarray(part, np.float32)) <= BORDER
    cut: NDArray[np.bool_] = (near & inner).any(axis=1)
    return cut


def _are_covered(fragments: Detections, whole: Detections) -> NDArray[np.bool_]:
    share = _shared(fragments.xyxy, whole.xyxy) / np.maximum(_areas(fragments.xyxy), 1)[:, None]
    alike = fragments.class_id[:, None] == whole.class_id[None]
    covered: NDArray[np.bool_] = (alike & (share > COVERED)).any(axis=1)
    return covered


def _put_together(fragments: Detections, tiles: NDArray[np.int64]) -> Detections:
    pieces: list[_Piece] = []
    for index in np.argsort(-fragments.confidence, kind="stable").tolist():
        new = _Piece(
            fragments.xyxy[index],
            float(fragments.confidence[index]),
            int(fragments.class_id[index]),
            fragments.labels[index],
            {int(tiles[index])},
        )
        for piece in [one for one in pieces if one.belongs_to(new)]:
            new.take(piece)
            pieces.remove(piece)
        pieces.append(new)
    return Detections(
        xyxy=np.array([piece.box for piece in pieces], np.float32).reshape(-1, 4),
        confidence=np.array([piece.confidence for piece in pieces], np.float32),
        class_id=np.array([piece.class_id for piece in pieces], np.int64),
        labels=tuple(piece.label for piece in pieces),
    )


def _joined(parts: Sequence[Detections]) -> Detections:
    return Detections(
        xyxy=np.concatenate([part.xyxy for part in parts]),
        confidence=np.concatenate([part.confidence for part in parts]),
        class_id=np.concatenate([part.class_id for part in parts]),
        labels=tuple(label for part in parts for label in part.labels),
    )


def _areas(xyxy: NDArray[np.float32]) -> NDArray[np.float32]:
    areas: NDArray[np.float32] = np.maximum(xyxy[:, 2:] - xyxy[:, :2], 0).prod(axis=1)
    return areas


def _shared(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    """The area (N, M) that each box of one shares with each of the other."""
    top_left = np.maximum(one[:, None, :2], other[None, :, :2])
    bottom_right = np.minimum(one[:, None, 2:], other[None, :, 2:])
    shared: NDArray[np.float32] = np.maximum(bottom_right - top_left, 0).prod(axis=2)
    return shared
