"""Three cameras in one fleet of real processes, against what is known of their pictures."""

import json
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from camfleet_contracts.volume import publish_version
from fleet_of_processes import Fleet, Messages, listening, running_fleet, unix, wait_for_frames
from waiting import wait_until

pytestmark = [pytest.mark.fleet, pytest.mark.alone, pytest.mark.long]

ONE_BY_ONE_S, HIGHWAY_S, STREET_S = 139.4, 56.63, 120.0
CAMERAS = """\
version: 1
cameras:
  - name: visits
    source: {media}/one-by-one-768x432.mp4
    pipeline: {{model: fastestdet-coco, fps: 5, labels: [person]}}
  - name: highway
    source: {media}/highway-a-320x240.mp4
    pipeline:
      model: fastestdet-coco
      fps: 10
      labels: [car, truck, bus]
      lines: [{{name: row, from: [0, 0.625], to: [1, 0.625]}}]
  - name: street
    source: demo:street?seed=7
    pipeline:
      model: demo-street
      fps: 10
      lines: [{{name: gate, from: [0, 0.68], to: [1, 0.68]}}]
"""


@dataclass
class Recording:
    fleet: Fleet
    messages: Messages
    visits_started: float
    highway_started: float
    street_from: float
    truth: dict[str, Any]


def serve(repository: Path, shared_data: Path, folder: Path) -> None:
    """Put the two models into a volume."""
    catalog = json.loads((repository / "models" / "catalog.json").read_text())
    entry = next(e for e in catalog["entries"] if e["name"] == "fastestdet-coco")
    source = shared_data / "models" / "fastestdet-coco"

    def fill(version: Path) -> None:
        for file in entry["files"]:
            shutil.copy(source / Path(file["path"]).name, version / file["path"])
        (version / "model.json").write_text(json.dumps(entry["manifest"]))

    entry["files"] = [f for f in entry["files"] if (source / Path(f["path"]).name).is_file()]
    publish_version(folder, "fastestdet-coco", 1, fill)
    shutil.copytree(repository / "models" / "demo-street", folder / "demo-street")
    names = ["fastestdet-coco", "demo-street"]
    config = {"model_config_list": [{"config": {"name": n, "base_path": n}} for n in names]}
    (folder / "config.json").write_text(json.dumps(config))


@pytest.fixture(scope="module")
def recording(
    repository: Path, shared_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Recording]:
    """One run of all three cameras, long enough for the longest clip."""
    folder = tmp_path_factory.mktemp("fleet")
    (folder / "models").mkdir()
    serve(repository, shared_data, folder / "models")
    media = (shared_data / "media" / "clips").resolve()
    (folder / "cameras.yaml").write_text(CAMERAS.format(media=media))
    with running_fleet(folder) as fleet, listening(fleet) as messages:
        for camera in ("visits", "highway", "street"):
            wait_for_frames(fleet, camera)
        yield record(fleet, messages)


def record(fleet: Fleet, messages: Messages) -> Recording:
    """Let it run until each clip was seen once as a whole."""
    visits = unix(fleet.camera("visits")["loop_started_at"])
    highway = fleet.camera("highway")
    highway_started = unix(highway["loop_started_at"])
    street_from = time.time() + 2
    end = max(visits + ONE_BY_ONE_S, highway_started + 2 * HIGHWAY_S, street_from + STREET_S) + 3
    wait_until(lambda: time.time() > end, ONE_BY_ONE_S + 60, "the clips to have run once")
    truth = fleet.get(f"{fleet.capture_http}/cameras/street/truth")
    return Recording(fleet, messages, visits, highway_started, street_from, truth)


def people_at(recording: Recording) -> list[tuple[float, int]]:
    results = recording.messages.of("visits", "TrackingResults")
    return [(at - recording.visits_started, len(m["results"]["objects"])) for at, m in results]


@pytest.fixture(scope="module")
def visits(shared_data: Path) -> list[list[int]]:
    text = (shared_data / "expected" / "clip-one-by-one-768x432.json").read_text()
    found: list[list[int]] = json.loads(text)["visits"]
    return found


def test_a_person_is_seen_in_each_visit(recording: Recording, visits: list[list[int]]) -> None:
    seen = people_at(recording)
    counts = [sum(n for at, n in seen if a / 10 <= at <= b / 10) for a, b in visits]
    assert [count for count in counts if count == 0] == [], recording.fleet.log()[-3000:]
    assert len(counts) == 6


def test_nobody_is_seen_in_the_middle_of_the_gaps(
    recording: Recording, visits: list[list[int]]
) -> None:
    gaps = [(a[1] / 10, b[0] / 10) for a, b in pairwise(visits)]
    middles = [(a + (b - a) / 4, b - (b - a) / 4) for a, b in gaps]
    seen = people_at(recording)
    inside = [(at, n) for at, n in seen if any(a <= at <= b for a, b in middles)]
    assert len(inside) > 20
    assert [at for at, n in inside if n] == []


def crossings(recording: Recording, camera: str, start: float, length_s: float) -> list[str]:
    events = recording.messages.of(camera, "OccurrenceEvent")
    crossed = [(at, m["results"]) for at, m in events]
    return [
        results["data"]["direction"]
        for at, results in crossed
        if results["event_label"] == "line_crossed" and start <= at < start + length_s
    ]


def test_the_vehicles_of_the_highway_are_counted(recording: Recording) -> None:
    second_loop = recording.highway_started + HIGHWAY_S
    directions = crossings(recording, "highway", second_loop, HIGHWAY_S)
    assert abs(directions.count("in") - 27) <= 3
    assert directions.count("out") <= 2


def test_the_street_is_lively(recording: Recording) -> None:
    first_minute = [c for c in recording.truth["crossings"] if c["time_s"] <= 60]
    assert len(first_minute) >= 40
    assert recording.truth["lines"]["gate"] == {"from": [0.0, 0.68], "to": [1.0, 0.68]}


@pytest.mark.parametrize("directions", [("in",), ("out",), ("in", "out")], ids="-".join)
def test_the_street_is_counted_as_its_truth_says(
    recording: Recording, directions: tuple[str, ...]
) -> None:
    start = recording.street_from
    counted = crossings(recording, "street", start, STREET_S)
    began = unix(recording.truth["started_at"])
    true = [
        crossing["direction"]
        for crossing in recording.truth["crossings"]
        if start <= began + crossing["time_s"] < start + STREET_S
    ]
    difference = sum(d in directions for d in counted) - sum(d in directions for d in true)
    assert abs(difference) <= max(2, 0.05 * len(true))
