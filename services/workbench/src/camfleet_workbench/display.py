"""Pictures with boxes in a cell."""

from av.video.frame import VideoFrame
from IPython.display import Image

from camfleet.cli.media import pixels_of
from camfleet.cli.pictures import encode_jpeg, with_boxes
from camfleet.detections import Detections


def show(picture: VideoFrame, detections: Detections | None = None) -> Image:
    """The picture, with boxes and labels when detections are given; the last value of a cell."""
    pixels = pixels_of(picture)
    drawn = pixels if detections is None else with_boxes(pixels, detections)
    return Image(data=encode_jpeg(drawn))  # type: ignore[no-untyped-call]  # untyped vendor
