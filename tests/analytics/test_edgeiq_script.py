"""A script in edgeIQ's style runs to the end on a clip after changing its import line."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from camfleet.object_trackers.results import TrackingResults
from camfleet.publishing.events import OccurrenceEvent
from camfleet.publishing.packets import load_analytics_results
from camfleet.publishing.publisher import write_object_detection_results_to_analytics_file
from camfleet.results.boxes import BoundingBox
from camfleet.results.detection import ObjectDetectionPrediction, ObjectDetectionResults
from camfleet.streams.file import FileVideoStream

SCRIPT = Path(__file__).with_name("edgeiq_script.py")
ZONES = {
    "dimensions": {"width": 768, "height": 432},
    "zones": [{"middle": {"zone_type": "Polygon", "vector": [[200, 0], [568, 0], [568, 431],
                                                             [200, 431]]}}],
}  # fmt: skip


def save_detections(recorded: list[list[Any]], path: Path) -> None:
    for _, found in recorded:
        predictions = [
            ObjectDetectionPrediction(BoundingBox(*box), score, label, 0)
            for label, score, *box in found
        ]
        results = ObjectDetectionResults(predictions, 0.02, "yolox-nano-coco")
        write_object_detection_results_to_analytics_file(path, results)


def test_script_of_edgeiq_runs_to_the_end_on_a_clip(shared_data: Path, tmp_path: Path) -> None:
    clip = shared_data / "media" / "clips" / "one-by-one-768x432.mp4"
    recorded = json.loads((shared_data / "expected/clip-one-by-one-768x432.json").read_text())
    save_detections(recorded["per_frame"][:230], tmp_path / "detections.txt")
    (tmp_path / "zone_config.json").write_text(json.dumps(ZONES))
    application = {"analytics": {"enable_file_publish": True, "file_size_bytes": 10_000_000}}
    (tmp_path / "alwaysai.app.json").write_text(json.dumps(application))
    script = tmp_path / "app.py"
    script.write_text(SCRIPT.read_text())

    done = subprocess.run(
        [sys.executable, "app.py", "detections.txt", str(clip), "out/film.mp4"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "Model: yolox-nano-coco" in done.stdout
    assert "frames 220 entered [(0, 'person')] in zone [0]" in done.stdout
    with FileVideoStream(tmp_path / "out" / "film.mp4") as film:
        assert film.read().shape == (216, 384, 3)
    published = load_analytics_results(tmp_path / "var" / "analytics.txt")
    tracked = [one for one in published if isinstance(one, TrackingResults)]
    left = [one for one in published if isinstance(one, OccurrenceEvent)]
    assert [len(one) for one in tracked] == [0, 0, 0, 1, 1, 1, 1, 0]
    assert [(one.event_label, one.object_id) for one in left] == [("person_left", 0)]
