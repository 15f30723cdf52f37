"""Which changes of cameras.yaml give a camera a new connection."""

import threading
from pathlib import Path

import pytest

from camfleet.lines import LineCount
from camfleet.service.events.journal import MemoryJournal
from camfleet.service.fleet import PipelineFleet
from camfleet.service.pipeline import Pipeline, Surroundings
from camfleet_contracts.cameras import CamerasFile
from camfleet_contracts.settings import read_settings
from fakes_analytics import CollectingPublisher, NoLiveVideo, ScriptedDetector, ScriptedSource
from waiting import wait_until

CAMERA = "cameras: [{name: door, source: rtsp://a/1}]"
SUB_STREAM = "cameras: [{name: door, source: rtsp://a/1, detect_source: rtsp://a/2}]"
CAPTURE = "rtsp://127.0.0.1:8554"


def nobody() -> None:
    """Nobody waits for events."""


def fleet_of(folder: Path, capture: str) -> PipelineFleet:
    settings = read_settings(cameras=folder / "cameras.yaml", state_dir=folder, capture=capture)
    around = Surroundings(ScriptedDetector(), CollectingPublisher(), "box")
    journal = MemoryJournal(nobody)
    return PipelineFleet(settings, lambda *_: ScriptedSource(), NoLiveVideo(), around, journal)


def follow(fleet: PipelineFleet, file: Path, text: str) -> Pipeline:
    """The pipeline with this file; a changed one is read once it looks the same twice."""
    file.write_text(text)
    fleet.follow_file()
    fleet.follow_file()
    return fleet.pipelines["door"]


@pytest.mark.parametrize(
    ("before", "capture", "is_kept"),
    [
        (CAMERA, "", False),
        (CAMERA, CAPTURE, True),
        (SUB_STREAM, "", False),
        (SUB_STREAM, CAPTURE, True),
    ],
    ids=["no capture", "capture", "sub-stream, no capture", "sub-stream, capture"],
)
def test_new_source_is_a_new_connection_where_analytics_reads_it_itself(
    tmp_path: Path, before: str, capture: str, *, is_kept: bool
) -> None:
    fleet, file = fleet_of(tmp_path, capture), tmp_path / "cameras.yaml"
    old = follow(fleet, file, before)
    new = follow(fleet, file, before.replace("rtsp://a/1", "rtsp://b/22"))
    fleet.stop()
    assert (new is old) == is_kept
    assert new.camera.source == "rtsp://b/22"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (f"source: {CAPTURE}/yard", f"source: {CAPTURE}/gate"),
        (
            "source: rtsp://a/1, detect_source: rtsp://a/2",
            "source: rtsp://a/1, detect_source: rtsp://a/2, capture: {masks: [[0, 0, 1, 0.5]]}",
        ),
    ],
    ids=["another camera at capture", "masks"],
)
def test_what_changes_where_a_camera_is_read_is_a_new_connection(
    tmp_path: Path, before: str, after: str
) -> None:
    fleet, file = fleet_of(tmp_path, CAPTURE), tmp_path / "cameras.yaml"
    old = follow(fleet, file, f"cameras: [{{name: door, {before}}}]")
    new = follow(fleet, file, f"cameras: [{{name: door, {after}}}]")
    fleet.stop()
    assert new is not old


def test_pipeline_that_could_not_be_started_is_told_and_started_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet, file = fleet_of(tmp_path, CAPTURE), tmp_path / "cameras.yaml"
    totals, may_start = MemoryJournal.totals, threading.Event()

    def read_when_the_disk_is_back(journal: MemoryJournal, camera: str) -> dict[str, LineCount]:
        if camera == "yard" and not may_start.is_set():
            raise OSError("the disk is gone")
        return totals(journal, camera)

    monkeypatch.setattr(MemoryJournal, "totals", read_when_the_disk_is_back)
    fleet.start()
    file.write_text(f"{CAMERA[:-1]}, {{name: yard, source: rtsp://b/1}}]")
    fault = wait_until(
        lambda: fleet.fault if "tried again" in (fleet.fault or "") else "", 60, "it"
    )
    started = fleet.pipelines["door"]
    may_start.set()
    wait_until(lambda: "yard" in fleet.pipelines, 60, "the pipeline")
    wait_until(lambda: fleet.fault is None, 60, "no fault")
    fleet.stop()
    assert "not followed: OSError: the disk is gone" in fault
    assert fleet.pipelines["door"] is started


def test_sinks_are_told_of_the_cameras_that_are_plugged_in(tmp_path: Path) -> None:
    fleet, told = fleet_of(tmp_path, CAPTURE), list[CamerasFile]()
    fleet.listener = told.append
    (tmp_path / "cameras.yaml").write_text("cameras: [{name: usb, source: auto}]")
    for plugged_in in ((), ("usb-1-4", "usb-1-5")):
        devices = {"usb": plugged_in}
        fleet.plugged_in = devices.copy
        fleet.follow_file()
        fleet.follow_file()
    fleet.stop()
    assert [one.name for one in told[0].cameras] == ["usb"]
    assert [one.name for one in told[-1].cameras] == ["usb-1-4", "usb-1-5"]
