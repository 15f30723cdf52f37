"""Counts people who cross a line, down as "in" and up as "out". Usage: app.py CLIP|CAMERA."""

import sys
from typing import Any

import camfleet

LINE, MARGIN = 0.6, 0.03  # of the picture's height; boxes tremble, so feet must be past both


class LineCount:
    """Knows on which side of the line everybody is, and counts who changes it."""

    def __init__(self) -> None:
        self.total = {"in": 0, "out": 0}
        self._is_below: dict[int, bool] = {}

    def update(self, people: camfleet.TrackingResults[Any], height: int) -> None:
        """Look where their feet are now; each crossing is published."""
        for person_id, person in people.items():
            past_line = person.box.end_y / height - LINE
            if abs(past_line) < MARGIN:
                continue
            is_below = past_line > 0
            if self._is_below.setdefault(person_id, is_below) != is_below:
                self._cross(person_id, "in" if is_below else "out")
            self._is_below[person_id] = is_below

    def forget(self, person_id: int, _: object) -> None:
        """Somebody is gone."""
        self._is_below.pop(person_id, None)

    def _cross(self, person_id: int, way: str) -> None:
        self.total[way] += 1
        now, data = camfleet.generate_event_timestamp(), {"direction": way, **self.total}
        camfleet.OccurrenceEvent(
            now, "line_passed", object_label="person", object_id=person_id, data=data
        ).publish_event()


def main(source: str = "0") -> None:
    """Watch a clip, or a camera by its number."""
    count = LineCount()
    tracker = camfleet.KalmanTracker(deregister_frames=20, exit_cb=count.forget)
    detector = camfleet.ObjectDetection("fastestdet-coco")
    detector.load()
    camera = camfleet.WebcamVideoStream(int(source)) if source.isdigit() else None
    with camera or camfleet.FileVideoStream(source) as video, camfleet.Streamer() as page:
        while video.more() and not page.check_exit():
            image = video.read()
            found = detector.detect_objects(image, confidence_level=0.4)
            people = camfleet.filter_predictions_by_label(found.predictions, ["person"])
            count.update(tracker.update(people), image.shape[0])
            page.send_data(camfleet.markup_image(image, people), [f"{count.total}"])


if __name__ == "__main__":
    main(*sys.argv[1:])
