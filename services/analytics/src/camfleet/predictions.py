"""What was found in a frame as the messages say it, and the kind of service that found it."""

from collections.abc import Mapping

from camfleet.detections import Detections
from camfleet.outlines import outlines_of
from camfleet_contracts.events import BaseService, Box, ObjectDetectionPrediction
from camfleet_contracts.model_manifest import ModelManifest

_SERVICES: Mapping[str, BaseService] = {
    "classification": "Classification",
    "embedding": "ReIdentification",
    "movenet": "PoseEstimation",
    "pose-heatmaps": "PoseEstimation",
    "segmentation": "SemanticSegmentation",
}


def base_service(manifest: ModelManifest) -> BaseService:
    """The kind of service that results of this model are published under."""
    decoder = manifest.postprocess.decoder if manifest.postprocess else ""
    return _SERVICES.get(decoder, "ObjectDetection")


def is_tracked(manifest: ModelManifest) -> bool:
    """True where boxes are objects that move from frame to frame."""
    return base_service(manifest) == "ObjectDetection"


def predictions_of(found: Detections) -> tuple[ObjectDetectionPrediction, ...]:
    """Boxes in whole pixels; `area` is the share of the frame that an object's mask covers."""
    areas = [None] * len(found) if found.masks is None else found.masks.mean(axis=(1, 2)).tolist()
    return tuple(
        ObjectDetectionPrediction(
            box=Box(start_x=x1, start_y=y1, end_x=x2, end_y=y2),
            confidence=round(confidence, 4),
            label=label,
            index=index,
            area=None if area is None else round(area, 5),
        )
        for (x1, y1, x2, y2), confidence, label, index, area in zip(
            found.xyxy.round().astype(int).tolist(),
            found.confidence.tolist(),
            found.labels,
            found.class_id.tolist(),
            areas,
            strict=True,
        )
    )


def shapes_of(found: Detections, frame_size: tuple[int, int]) -> tuple[dict[str, object], ...]:
    """What each prediction says beyond its box, for whoever draws it: outlines and key points."""
    shapes: tuple[dict[str, object], ...] = tuple({} for _ in range(len(found)))
    if found.masks is not None:
        for shape, outlines in zip(shapes, outlines_of(found.masks, frame_size), strict=True):
            shape["outlines"] = outlines
    if found.key_points is not None:
        for shape, points in zip(shapes, found.key_points.round(2).tolist(), strict=True):
            shape["key_points"] = tuple(tuple(point) for point in points)
    return shapes
