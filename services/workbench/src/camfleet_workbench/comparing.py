"""Two versions of a model on the same pictures, through the server that serves both."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import cv2
import numpy as np
from av.video.frame import VideoFrame
from matplotlib.figure import Figure

from camfleet.cli.media import pixels_of
from camfleet.detections import Detections
from camfleet.images import Image
from camfleet.inference.detector import Detected, ServerDetector
from camfleet_workbench import html
from camfleet_workbench.models import connect
from camfleet_workbench.plainly import CellError, plainly
from camfleet_workbench.plots import Plot
from camfleet_workbench.tools.agreement import matched

BOTH, FIRST_ONLY, SECOND_ONLY = (90, 160, 60), (40, 40, 220), (220, 120, 30)  # BGR
_SHOWN = 3  # pictures below the table
_WARM_UP = 2


@dataclass(frozen=True, slots=True)
class Pair:
    """What both found in one picture."""

    picture: VideoFrame
    first: Detected
    second: Detected

    @property
    def matches(self) -> list[tuple[int, int]]:
        """Pairs of objects with one label whose boxes overlap by half."""
        return matched(self.first.detections, self.second.detections)

    @property
    def share(self) -> float:
        """Twice the pairs over all objects of both; 1 where neither found anything."""
        count = len(self.first.detections) + len(self.second.detections)
        return 2 * len(self.matches) / count if count else 1.0

    def drawn(self) -> Image:
        """Green: both; red: only the first; blue: only the second."""
        image = pixels_of(self.picture).copy()
        pairs = self.matches
        ours, theirs = {a for a, _ in pairs}, {b for _, b in pairs}
        first, second = self.first.detections, self.second.detections
        _boxes(image, first, [i in ours for i in range(len(first))], BOTH)
        _boxes(image, first, [i not in ours for i in range(len(first))], FIRST_ONLY)
        _boxes(image, second, [i not in theirs for i in range(len(second))], SECOND_ONLY)
        return image


@dataclass(frozen=True, slots=True)
class Versions:
    """A comparison; the last value of a cell."""

    names: tuple[str, str]
    pairs: tuple[Pair, ...]

    @property
    def agreement(self) -> float:
        """Twice the objects that both found over all objects of both (0..1)."""
        counts = [len(p.first.detections) + len(p.second.detections) for p in self.pairs]
        found = sum(2 * len(pair.matches) for pair in self.pairs)
        return found / sum(counts) if sum(counts) else 1.0

    @property
    def latencies_ms(self) -> tuple[list[float], list[float]]:
        """Of every request, on the wire and in the server."""
        return (
            [pair.first.duration_s * 1000 for pair in self.pairs],
            [pair.second.duration_s * 1000 for pair in self.pairs],
        )

    def most_different(self, count: int = _SHOWN) -> list[Pair]:
        """The pictures they agree least on."""
        return sorted(self.pairs, key=lambda pair: pair.share)[:count]

    def plot(self) -> Plot:
        """Agreement picture by picture, and the latencies of both."""
        figure = Figure(figsize=(9, 3), layout="constrained")
        shares, times = figure.subplots(1, 2)
        shares.plot([pair.share for pair in self.pairs], marker="o")
        shares.set(ylim=(-0.05, 1.05), xlabel="picture", ylabel="agreement")
        times.boxplot(self.latencies_ms, tick_labels=self.names, showfliers=False)
        times.set(ylabel="ms a request", ylim=(0, None))
        return Plot(figure)

    def __repr__(self) -> str:
        """One line."""
        first, second = (median(times) for times in self.latencies_ms)
        return (
            f"{self.names[0]} and {self.names[1]} agree on {self.agreement:.1%} of the objects in "
            f"{len(self.pairs)} pictures; {first:.1f} and {second:.1f} ms"
        )

    def _repr_html_(self) -> str:
        rows = [
            (name, version, sum(counts), f"{median(times):.1f} ms")
            for name, version, counts, times in self._columns()
        ]
        table = html.table(("version", "number", "objects", "median request"), rows)
        pictures = "".join(html.picture(p.drawn(), 320) for p in self.most_different())
        told = "Green: both, red: only the first, blue: only the second. The least alike pictures:"
        return table + html.paragraph(repr(self)) + html.paragraph(told) + pictures

    def _columns(self) -> list[tuple[str, int, list[int], list[float]]]:
        firsts, seconds = [p.first for p in self.pairs], [p.second for p in self.pairs]
        return [
            (name, each[0].model.version, [len(one.detections) for one in each], times)
            for name, each, times in zip(
                self.names, (firsts, seconds), self.latencies_ms, strict=True
            )
        ]


@plainly
def compare_versions(
    first: str, second: str, pictures: Sequence[VideoFrame], confidence: float = 0.5
) -> Versions:
    """Ask two models or versions (`name:number`) about the same pictures, by turns.

    Raises:
        CellError: there are no pictures, or one of the two cannot be asked; says why.
    """
    if not pictures:
        raise CellError("there are no pictures to compare with; grab_frames() takes some")
    detector = connect()
    for _ in range(_WARM_UP):
        for name in (first, second):
            detector.detect(pictures[0], name, confidence)
    pairs = [_asked(detector, (first, second), picture, confidence) for picture in pictures]
    return Versions((first, second), tuple(pairs))


def _asked(
    detector: ServerDetector, names: tuple[str, str], picture: VideoFrame, confidence: float
) -> Pair:
    first, second = (detector.detect(picture, name, confidence) for name in names)
    return Pair(picture, first, second)


def _boxes(
    image: Image, found: Detections, chosen: list[bool], colour: tuple[int, int, int]
) -> None:
    shown = found.select(np.array(chosen, dtype=np.bool_))
    thickness = max(2, round(image.shape[1] / 400))
    for x1, y1, x2, y2 in shown.xyxy.round().astype(int).tolist():
        cv2.rectangle(image, (x1, y1), (x2, y2), colour, thickness)
