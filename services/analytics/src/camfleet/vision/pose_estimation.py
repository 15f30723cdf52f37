"""Pose estimation."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from camfleet.images import Image
from camfleet.results.boxes import BoundingBox
from camfleet.results.key_points import NECK, SHOULDERS, point_names
from camfleet.results.poses import NOWHERE, HumanPoseResult, KeyPoint, Pose
from camfleet.vision.base import VisionService
from camfleet.vision.findings import Reading

CONFIDENCE, OVERLAP = 0.3, 0.5
SURE = 0.2  # points below it count as not found


class PoseEstimation(VisionService[Pose]):
    """Finds persons and the points of their bodies."""

    reads = frozenset({"movenet", "pose-heatmaps", "yolov8", "yolov10"})

    def estimate(
        self,
        image: Image,
        confidence_level: float = CONFIDENCE,
        key_point_confidence: float = SURE,
    ) -> HumanPoseResult:
        """Find the persons of one image (H, W, 3) BGR.

        Persons less sure than `confidence_level` are left out, points less sure than
        `key_point_confidence` are at (-1, -1); both 0 to 1. "Neck" is between the shoulders.

        Raises:
            BadImage, BadArgument, NotLoaded: what was given or done is wrong.
            InferenceError: the server or the model; see camfleet.inference.errors.
        """
        found = self._find(image, confidence_level, OVERLAP)
        poses = [_without_doubtful(pose, key_point_confidence) for pose in found.predictions]
        size = (image.shape[1], image.shape[0])
        return HumanPoseResult(poses, **found.origin(), image_size=size)

    def _predictions(self, reading: Reading) -> list[Pose]:
        if reading.found.key_points is None:
            return []
        told = (self.model_config.manifest.model_extra or {}).get("key_points", ())
        names = point_names(told, reading.found.key_points.shape[1])
        rows = zip(
            reading.found.key_points,
            reading.found.confidence.tolist(),
            reading.found.xyxy.tolist(),
            strict=True,
        )
        return [_pose(names, points, score, corners) for points, score, corners in rows]


def _pose(
    names: Sequence[str], points: NDArray[np.float32], score: float, corners: Sequence[int]
) -> Pose:
    places = {
        name: KeyPoint(round(x), round(y))
        for name, (x, y) in zip(names, points[:, :2].tolist(), strict=True)
    }
    sure = dict(zip(names, points[:, 2].tolist(), strict=True))
    if NECK not in places and places.keys() >= set(SHOULDERS):
        left, right = (places[name] for name in SHOULDERS)
        places[NECK] = KeyPoint((left.x + right.x) // 2, (left.y + right.y) // 2)
        sure[NECK] = min(sure[name] for name in SHOULDERS)
    return Pose(places, score, BoundingBox(*corners), sure)


def _without_doubtful(pose: Pose, least: float) -> Pose:
    sure: Mapping[str, float] = pose.confidences
    pose.key_points = {
        name: point if sure.get(name, 1.0) >= least else NOWHERE
        for name, point in pose.key_points.items()
    }
    return pose
