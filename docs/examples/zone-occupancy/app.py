"""Says how many people stand in the zones of two cameras. Usage: app.py [CLIP CLIP]."""

import sys
from collections.abc import Sequence

import camfleet

CONFIG = camfleet.AppConfig()
SIZE = 640, 360  # of the pictures that the zones are drawn on


class Camera:
    """One camera, its zones, and who was in them last."""

    def __init__(self, name: str, stream: camfleet.VideoStream, zones: str) -> None:
        self.name, self.stream = name, stream.start()
        self.zones = camfleet.ZoneList(CONFIG.folder / zones)
        self.occupancy: dict[str, int] = {}

    def count(self, found: camfleet.ObjectDetectionResults) -> None:
        """Publish each zone whose number of people has changed."""
        people = camfleet.filter_predictions_by_label(found.predictions, ["person"])
        for zone, inside in self.zones.filter_results_by_zone(people).items():
            if self.occupancy.get(zone) != len(inside):
                self.occupancy[zone] = len(inside)
                now = camfleet.generate_event_timestamp()
                camfleet.ValueEvent(
                    now, len(inside), "occupancy", camera_label=self.name, zone_label=zone
                ).publish_event()


def cameras(clips: Sequence[str]) -> list[Camera]:
    """Those of camfleet.app.json; clips in the place of their streams."""
    told = CONFIG.app_configurations
    streams = [camfleet.FileVideoStream(clip) for clip in clips] or camfleet.video_streams_of(told)
    pairs = zip(told["video_streams"], streams, strict=True)
    return [Camera(one["name"], stream, one["zones"]) for one, stream in pairs]


def main(*clips: str) -> None:
    """Ask about the pictures of both cameras in one request."""
    detector = camfleet.ObjectDetection("fastestdet-coco")
    detector.load()
    both = cameras(clips)
    with camfleet.Streamer() as page:
        while all(camera.stream.more() for camera in both) and not page.check_exit():
            images = [camfleet.resize(camera.stream.read(), *SIZE) for camera in both]
            for camera, found in zip(both, detector.detect_objects_batch(images), strict=True):
                camera.count(found)
            marked = [c.zones.markup_image_with_zones(i) for c, i in zip(both, images, strict=True)]
            page.send_data(camfleet.safe_hstack(marked), [f"{c.name}: {c.occupancy}" for c in both])


if __name__ == "__main__":
    main(*sys.argv[1:])
