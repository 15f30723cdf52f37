"""Tells how long somebody works bent over. Usage: app.py CLIP|CAMERA."""

import math
import sys

import camfleet

LARGEST_LEAN = 35.0  # degrees between upright and the way from hips to neck
FRAMES = 5  # so many in a row begin or end it


def lean_of(pose: camfleet.Pose) -> float | None:
    """Degrees from upright; None where neck or hips are not seen."""
    points = [pose.key_points[name] for name in ("Neck", "Left Hip", "Right Hip")]
    if not all(point.is_found for point in points):
        return None
    neck, left, right = points
    across, up = neck.x - (left.x + right.x) / 2, (left.y + right.y) / 2 - neck.y
    return math.degrees(math.atan2(abs(across), up))


class BentOver:
    """Begins and ends after some frames in a row, and is published as a timed event."""

    def __init__(self) -> None:
        self.event: camfleet.StartTimedEvent | None = None
        self._frames = 0

    def update(self, is_bent: bool) -> None:
        """One more frame."""
        self._frames = self._frames + 1 if is_bent != (self.event is not None) else 0
        if self._frames < FRAMES:
            return
        self._frames, now = 0, camfleet.generate_event_timestamp()
        if self.event is None:
            self.event = camfleet.StartTimedEvent(now, "bent_over", object_label="person")
            self.event.publish_event()
        else:
            camfleet.EndTimedEvent(now, str(self.event.event_id), "bent_over").publish_event()
            self.event = None


def main(source: str = "0") -> None:
    """Watch a clip, or a camera by its number."""
    bent = BentOver()
    estimator = camfleet.PoseEstimation("movenet-lightning")
    estimator.load()
    camera = camfleet.WebcamVideoStream(int(source)) if source.isdigit() else None
    with camera or camfleet.FileVideoStream(source) as video, camfleet.Streamer() as page:
        while video.more() and not page.check_exit():
            result = estimator.estimate(image := video.read())
            leans = [lean for pose in result.poses if (lean := lean_of(pose)) is not None]
            bent.update(any(lean > LARGEST_LEAN for lean in leans))
            words = "bent over" if bent.event else "upright"
            page.send_data(result.draw_poses(image), [words, *(f"{lean:.0f}°" for lean in leans)])


if __name__ == "__main__":
    main(*sys.argv[1:])
