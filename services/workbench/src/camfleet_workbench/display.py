"""Pictures with boxes in a cell, still and moving."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from av.video.frame import VideoFrame
from IPython.display import Image

from camfleet.cli.media import pixels_of
from camfleet.cli.pictures import encode_jpeg, with_boxes
from camfleet.detections import Detections
from camfleet_workbench.cells import CellOutput
from camfleet_workbench.frames import open_source
from camfleet_workbench.html import fitted
from camfleet_workbench.models import connect
from camfleet_workbench.plainly import plainly

MOST_FPS = 15.0  # more fills the browser's memory and shows nothing new


@dataclass(frozen=True, slots=True)
class Shown:
    """What `live` showed."""

    pictures: int
    seconds: float
    inference_ms: float  # mean; 0 without a model

    def __repr__(self) -> str:
        """One line."""
        asked = f", {self.inference_ms:.1f} ms an inference" if self.inference_ms else ""
        return f"{self.pictures} pictures in {self.seconds:.1f} s{asked}"


def show(
    picture: VideoFrame, detections: Detections | None = None, width: int | None = None
) -> Image:
    """The picture, with boxes and labels when detections are given; the last value of a cell."""
    return Image(data=_jpeg(picture, detections, width))  # type: ignore[no-untyped-call]  # untyped vendor


@plainly
def live(  # noqa: PLR0913 - each has a default; a cell names what it wants
    source: str | Path = "",
    model: str = "",
    *,
    seconds: float = 30.0,
    fps: float = 5.0,
    confidence: float = 0.5,
    width: int = 640,
    fallback: str | Path | None = None,
) -> Shown:
    """Live pictures in the cell, with boxes where a model is named.

    At most `fps` (15 is the most) and for `seconds`; the stop button of the notebook ends it.

    Raises:
        NoPicture: there is no such camera or file.
        CellError: the model cannot be asked.
    """
    gap_s = 1 / min(fps, MOST_FPS)
    output = CellOutput()
    detector = connect() if model else None
    began_s, asked_s, count = time.monotonic(), 0.0, 0
    try:
        with open_source(source, fallback) as pictures:
            for picture in _paced(pictures, gap_s, seconds):
                count += 1
                found = None
                if detector is not None:
                    answer = detector.detect(picture, model, confidence)
                    found, asked_s = answer.detections, asked_s + answer.duration_s
                output.jpeg(_jpeg(picture, found, width))
    except KeyboardInterrupt:  # the stop button: the way a live picture is meant to end
        pass
    return Shown(count, time.monotonic() - began_s, asked_s / max(count, 1) * 1000)


def _jpeg(picture: VideoFrame, detections: Detections | None, width: int | None) -> bytes:
    pixels = pixels_of(picture)
    drawn = pixels if detections is None else with_boxes(pixels, detections)
    return encode_jpeg(fitted(drawn, width))


def _paced(pictures: Iterator[VideoFrame], gap_s: float, seconds: float) -> Iterator[VideoFrame]:
    ends_s = time.monotonic() + seconds
    due_s = time.monotonic()
    for picture in pictures:
        time.sleep(max(0.0, due_s - time.monotonic()))
        if time.monotonic() > ends_s:
            return
        due_s = max(due_s, time.monotonic()) + gap_s
        yield picture
