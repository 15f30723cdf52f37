"""Detection in tiles: small objects are larger for the model, and each is told once."""

import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import av

from camfleet.inference.crops import Rectangle, crop, rectangle_of
from camfleet.inference.detector import Detected, Detector
from camfleet.inference.errors import InferenceRefused
from camfleet.inference.tile_merging import merge
from camfleet.predictions import is_tracked
from camfleet.video.once import Once
from camfleet_contracts.stages import Tiles


class TiledDetector:
    """A detector that sees a picture as tiles and as a whole, and answers as one."""

    def __init__(self, detector: Detector, tiles: Tiles) -> None:
        self._detector, self._tiles = detector, tiles

    def detect(
        self, picture: av.VideoFrame, reference: str, confidence: float, once: Once | None = None
    ) -> Detected:
        """Ask about all parts at once, `once` for all who want the same; raises InferenceError."""
        detect = partial(self._detect, picture, reference, confidence)
        if once is None:
            return detect()
        found, is_own = once.ask((self._tiles, reference, confidence), detect)
        return found if is_own else replace(found, is_shared=True)

    def _detect(self, picture: av.VideoFrame, reference: str, confidence: float) -> Detected:
        size = (picture.width, picture.height)
        parts, began_s = tiles_of(size, self._tiles), time.thread_time()
        pictures = [crop(picture, part) for part in parts]
        if self._tiles.full:
            parts, pictures = [*parts, (0, 0, *size)], [*pictures, picture]
        cut_s = time.thread_time() - began_s
        answers = self.detect_all(pictures, reference, confidence)
        model = answers[0].model
        if not is_tracked(model.manifest):
            raise InferenceRefused(model.name, "finds no boxes; take `tiles` out of cameras.yaml")
        found = merge([answer.detections for answer in answers], parts, size)
        return replace(
            answers[0],
            detections=found,
            duration_s=max(answer.duration_s for answer in answers),
            scale_s=cut_s + sum(answer.scale_s for answer in answers),
        )

    def detect_all(
        self, pictures: Sequence[av.VideoFrame], reference: str, confidence: float
    ) -> list[Detected]:
        """Ask about whole pictures."""
        return self._detector.detect_all(pictures, reference, confidence)


def tiles_of(size: tuple[int, int], tiles: Tiles) -> list[Rectangle]:
    """Even rectangles that cover the picture, row by row, and overlap as it was asked for."""
    columns, rows = (
        _spans(length, n, tiles.overlap) for length, n in zip(size, tiles.grid, strict=True)
    )
    return [
        rectangle_of((left, top, right, bottom), size)
        for top, bottom in rows
        for left, right in columns
    ]


def _spans(length: int, count: int, overlap: float) -> list[tuple[float, float]]:
    each = length / (count - (count - 1) * overlap)
    return [(n * each * (1 - overlap), n * each * (1 - overlap) + each) for n in range(count)]
