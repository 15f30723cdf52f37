"""What a model's answers are good for."""

from typing import Literal

from camfleet_contracts.model_manifest import ModelManifest

Service = Literal["ObjectDetection", "Classification", "PoseEstimation"]
_SERVICES: dict[str, Service] = {"classification": "Classification", "movenet": "PoseEstimation"}


def base_service(manifest: ModelManifest) -> Service:
    """The kind of service that results of this model are published under."""
    decoder = manifest.postprocess.decoder if manifest.postprocess else ""
    return _SERVICES.get(decoder, "ObjectDetection")


def is_tracked(manifest: ModelManifest) -> bool:
    """True where boxes are objects that move from frame to frame."""
    return base_service(manifest) == "ObjectDetection"
