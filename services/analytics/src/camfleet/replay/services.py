"""A service and a tracker that give recorded results, one a frame."""

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from camfleet.colours import colour_of
from camfleet.errors import BadArgument
from camfleet.images import Image, check_image
from camfleet.object_trackers.results import TrackingResults
from camfleet.object_trackers.trackable import TrackablePrediction
from camfleet.replay.errors import NoMoreResults
from camfleet.results.detection import ObjectDetectionResults


class ObjectDetectionAnalytics:
    """Stands for ObjectDetection: the same calls, and recorded results in their order.

    No server and no model are needed; images are only checked, so that an application is tested
    with what a camera really saw.
    """

    def __init__(
        self,
        annotations: Sequence[ObjectDetectionResults] | Sequence[Sequence[ObjectDetectionResults]],
        model_id: str = "",
        model_config: Any = None,
    ) -> None:
        """Nothing is given yet.

        Args:
            annotations: results of one stream, e.g. of load_analytics_results(); or a list of
                them for each stream.
            model_id: as that of a service; "": as the first results say.
            model_config: kept, as edgeIQ does.
        """
        lists = _streams(annotations)
        self._streams = [iter(one) for one in lists]
        self._given, self._turn = [0] * len(lists), 0
        first = next((one for stream in lists for one in stream), None)
        self.model_id = model_id or getattr(first, "model_id", "")
        self.model_config = model_config
        self.labels = _labels(lists)
        self.colors = [colour_of(index) for index in range(len(self.labels))]
        self.engine = self.accelerator = None

    def load(self, engine: Any = None, accelerator: Any = None) -> None:
        """Do nothing: there is no model."""

    def detect_objects(
        self, image: Image | None, confidence_level: float = 0.3, overlap_threshold: float = 0.3
    ) -> ObjectDetectionResults:
        """The results of the next frame with at least this confidence.

        Of several streams each call gives those of the next one, as a loop over cameras asks.

        Raises:
            BadImage: it is not an image; None is as good as one.
            NoMoreResults: all were given.
        """
        if image is not None:
            check_image(image, type(self).__name__)
        turn, self._turn = self._turn, (self._turn + 1) % max(len(self._streams), 1)
        return self.detect_objects_for_stream(turn, confidence_level, overlap_threshold)

    def detect_objects_for_stream(
        self, stream_idx: int, confidence_level: float = 0.3, overlap_threshold: float = 0.3
    ) -> ObjectDetectionResults:
        """The results of one stream's next frame with at least this confidence.

        Raises:
            NoMoreResults: all of this stream were given.
            BadArgument: there is no such stream.
        """
        del overlap_threshold  # what was recorded has been through it
        name = type(self).__name__
        if not 0 <= stream_idx < len(self._streams):
            raise BadArgument(f"{name}: stream {stream_idx}, and results of {self._told()}")
        results = next(self._streams[stream_idx], None)
        if results is None:
            raise NoMoreResults(name, self._given[stream_idx])
        self._given[stream_idx] += 1
        sure = [one for one in results.predictions if one.confidence >= confidence_level]
        return replace(results, predictions=sure)

    def detect_objects_batch(
        self,
        images: Sequence[Image] | None,
        confidence_level: float = 0.3,
        overlap_threshold: float = 0.3,
    ) -> list[ObjectDetectionResults]:
        """The next results of each stream; None stands for an image of each.

        Raises:
            BadImage: one is not an image.
            NoMoreResults: those of a stream were given.
            BadArgument: there are more images than streams.
        """
        name = type(self).__name__
        count = len(self._streams) if images is None else len(images)
        if count > len(self._streams):
            raise BadArgument(f"{name}: {count} images, and results of {self._told()}")
        for image in images or ():
            check_image(image, name)
        return [
            self.detect_objects_for_stream(index, confidence_level, overlap_threshold)
            for index in range(count)
        ]

    def _told(self) -> str:
        return f"{len(self._streams)} streams"

    def publish_analytics(
        self, results: Any, tag: Any = None, file_path: str | os.PathLike[str] | None = None
    ) -> None:
        """Publish as ObjectDetection does; raises PublishError."""
        from camfleet.publishing.publisher import publish_analytics  # noqa: PLC0415 - on first use

        publish_analytics(results, tag, file_path, base_service="ObjectDetection")


class TrackerAnalytics:
    """Stands for a tracker: recorded tracking results, one a frame."""

    def __init__(self, annotations: Sequence[TrackingResults[Any]]) -> None:
        """Nothing is given yet."""
        self._results = iter(annotations)
        self._given = 0

    def update(self, predictions: Any = None, **_: Any) -> TrackingResults[TrackablePrediction]:
        """The results of the next frame; predictions are not looked at.

        Raises:
            NoMoreResults: all were given.
        """
        del predictions
        results: TrackingResults[TrackablePrediction] | None = next(self._results, None)
        if results is None:
            raise NoMoreResults(type(self).__name__, self._given)
        self._given += 1
        return results


def _streams(
    annotations: Sequence[ObjectDetectionResults] | Sequence[Sequence[ObjectDetectionResults]],
) -> list[list[ObjectDetectionResults]]:
    """One list a stream, of either form."""
    alone: list[ObjectDetectionResults] = []
    lists: list[list[ObjectDetectionResults]] = []
    for one in annotations:
        if isinstance(one, ObjectDetectionResults):
            alone.append(one)
        else:
            lists.append(list(one))
    return lists or [alone]


def _labels(streams: Sequence[Any]) -> list[str]:
    """By index, as far as the results tell."""
    known = {
        one.index: one.label for stream in streams for found in stream for one in found.predictions
    }
    return [known.get(index, "") for index in range(max(known, default=-1) + 1)]
