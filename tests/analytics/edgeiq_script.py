"""A script as they are written for edgeIQ; only its import line is another one."""

import sys
import time

import camfleet as edgeiq

SAVED_DETECTIONS, CLIP, OUTPUT = sys.argv[1:4]
LAST_FRAME = 220


def make_tracker(entered: list[tuple[int, str]]) -> edgeiq.KalmanTracker:
    return edgeiq.KalmanTracker(
        deregister_frames=15,
        max_distance=100,
        min_inertia=6,
        enter_cb=lambda object_id, prediction: entered.append((object_id, prediction.label)),
        exit_cb=lambda object_id, prediction: edgeiq.OccurrenceEvent(
            timestamp=edgeiq.generate_event_timestamp(),
            event_label="person_left",
            object_label=prediction.label,
            object_id=object_id,
        ).publish_event(),
    )


def main() -> None:
    obj_detect = edgeiq.ObjectDetectionAnalytics(edgeiq.load_analytics_results(SAVED_DETECTIONS))
    obj_detect.load(engine=edgeiq.Engine.DNN)
    print(f"Model: {obj_detect.model_id}")  # noqa: T201 - a script

    entered: list[tuple[int, str]] = []
    tracker = make_tracker(entered)
    zones = edgeiq.ZoneList("zone_config.json")
    fps = edgeiq.FPS()
    in_zone, frames = set(), 0

    with (
        edgeiq.FileVideoStream(CLIP, play_realtime=False) as video_stream,
        edgeiq.VideoWriter(output_path=OUTPUT, fps=video_stream.fps, codec="H264") as writer,
    ):
        fps.start()
        while video_stream.more() and frames < LAST_FRAME:
            frame = video_stream.read()
            results = obj_detect.detect_objects(frame, confidence_level=0.5)
            people = edgeiq.filter_predictions_by_label(results.predictions, ["person"])
            objects = tracker.update(people)

            predictions = []
            for object_id, prediction in objects.items():
                prediction.label = f"person {object_id}"
                predictions.append(prediction)
            for object_id in zones.get_results_for_zone(objects, "middle"):
                in_zone.add(object_id)

            frame = zones.markup_image_with_zones(frame, fill_zones=True, alpha=0.3)
            frame = edgeiq.markup_image(frame, predictions, colors=obj_detect.colors)
            frame = edgeiq.blur_objects(frame, people)
            writer.write_frame(edgeiq.resize(frame, width=384, height=216, keep_scale=True))
            if frames % 30 == 0:
                obj_detect.publish_analytics(objects, tag={"frame_idx": frames})
            frames += 1
            fps.update()

    fps.stop()
    print(f"elapsed {fps.get_elapsed_seconds():.1f} s, {fps.compute_fps():.0f} fps", time.ctime())  # noqa: T201 - a script
    print(f"frames {frames} entered {entered} in zone {sorted(in_zone)}")  # noqa: T201 - a script


if __name__ == "__main__":
    main()
