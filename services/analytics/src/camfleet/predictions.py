"""What was found in a frame as the messages say it, and the kind of service that found it."""

from collections.abc import Mapping

from camfleet.detections import Detections
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
