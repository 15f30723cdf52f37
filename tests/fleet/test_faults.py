"""What breaks says so in one clear line where people look, the rest goes on, and it heals."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from camfleet_contracts.serving_config import edit_serving_config
from fleet_of_processes import (
    Fleet,
    empty_fleet,
    listening,
    start_analytics,
    start_capture,
    start_server,
    wait_for_frames,
    wait_for_state,
)
from free_ports import free_port
from waiting import wait_until

pytestmark = [pytest.mark.fleet, pytest.mark.long]

CAMERAS = """\
version: 1
defaults: {{model: demo-street, fps: 5}}
cameras:
  - {{name: street, source: "demo:street?seed=7"}}
  - {{name: later, source: {folder}/later.mp4}}
  - {{name: corrupt, source: {folder}/corrupt.mp4}}
  - {{name: unknown, source: "demo:street?seed=9", pipeline: {{model: not-there}}}}
"""


def write_clip(path: Path) -> None:
    """A second of moving grey, written beside and renamed into place."""
    draft = path.with_suffix(".part.mp4")
    with av.open(str(draft), "w") as container:
        stream = container.add_stream("libx264", rate=15)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for shade in range(0, 150, 5):
            picture = np.full((240, 320, 3), shade, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    draft.rename(path)


@pytest.fixture(scope="module")
def fleet(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Capture and analytics; the model server starts in the first test."""
    folder = tmp_path_factory.mktemp("faults")
    with empty_fleet(folder) as fleet:
        shutil.copytree(repository / "models" / "demo-street", folder / "models" / "demo-street")
        entry = {"config": {"name": "demo-street", "base_path": "demo-street"}}
        (folder / "models" / "config.json").write_text(json.dumps({"model_config_list": [entry]}))
        (folder / "cameras.yaml").write_text(CAMERAS.format(folder=folder))
        (folder / "corrupt.mp4").write_bytes(bytes(range(256)) * 40)
        fleet.env["CAMFLEET_SERVER"] = f"127.0.0.1:{free_port()}"
        start_capture(fleet)
        start_analytics(fleet)
        yield fleet


@pytest.fixture
def served(fleet: Fleet) -> Fleet:
    """The same with the model server up, on the port that analytics expects."""
    if fleet.server is None or fleet.server.process.poll() is not None:
        port = fleet.env["CAMFLEET_SERVER"].rpartition(":")[2]
        start_server(fleet, grpc=port)
    return fleet


def reason(fleet: Fleet, camera: str, words: str, timeout_s: float = 120) -> dict[str, Any]:
    """Wait until what the page shows of a camera holds these words."""

    def shown() -> dict[str, Any] | None:
        status = fleet.status(camera)
        text = f"{status.get('reason')} {status.get('model', {}).get('reason')}"
        return status if words in text else None

    try:
        return wait_until(shown, timeout_s, f"{camera} to say {words!r}")
    except AssertionError as error:
        raise AssertionError(f"{error}; it says {fleet.status(camera)}") from error


def health(fleet: Fleet) -> str:
    """What is wrong as the page says it, with its first reason."""
    return str(fleet.get(f"{fleet.page}/v1/status")["health"]["reason"])


def statuses(fleet: Fleet, model: str) -> dict[str, tuple[str, str]]:
    """(state, message) of each version in GET /v1/config."""
    rows = fleet.get(f"{fleet.rest}/v1/config").get(model, {}).get("model_version_status", [])
    return {row["version"]: (row["state"], row["status"]["error_message"]) for row in rows}


def test_cameras_wait_for_a_model_server_that_is_not_up_yet(fleet: Fleet) -> None:
    wait_for_state(fleet, "street", "LIVE")
    reason(fleet, "street", f"waiting for model server {fleet.env['CAMFLEET_SERVER']}")


def test_frames_are_analysed_once_the_server_is_there(served: Fleet) -> None:
    wait_for_frames(served, "street")


def test_an_unknown_model_is_named_with_the_way_out(served: Fleet) -> None:
    assert "camfleet model" in str(reason(served, "unknown", "not-there")["model"])


@pytest.mark.parametrize(
    ("camera", "words"),
    [("later", "later.mp4: not there"), ("corrupt", "corrupt.mp4: not a video")],
)
def test_a_bad_file_is_named_and_the_others_go_on(served: Fleet, camera: str, words: str) -> None:
    reason(served, camera, words)
    wait_for_frames(served, "street")


@pytest.mark.parametrize("camera", ["later", "corrupt"])
def test_a_camera_heals_when_its_file_is_good(served: Fleet, camera: str) -> None:
    write_clip(served.folder / f"{camera}.mp4")
    wait_for_state(served, camera, "LIVE")
    wait_for_frames(served, camera)


def test_a_bad_edit_of_the_cameras_keeps_the_last_good_state(served: Fleet) -> None:
    path = served.folder / "cameras.yaml"
    good = path.read_text()
    path.write_text(good + "  - {name: Wrong Name, source: x}\n")

    wait_until(lambda: "cameras.yaml:8" in health(served), 60, "the fault and its line on the page")
    wait_for_frames(served, "street")
    path.write_text(good)
    wait_until(lambda: "cameras.yaml:8" not in health(served), 60, "the fault to be gone")


def test_a_garbage_version_keeps_the_old_one_and_says_why(served: Fleet) -> None:
    wait_for_frames(served, "street")
    version = served.folder / "models" / "demo-street" / "2"
    version.mkdir()
    (version / "model.onnx").write_bytes(b"garbage" * 1000)

    def refused() -> bool:
        state, message = statuses(served, "demo-street").get("2", ("", ""))
        return state != "AVAILABLE" and "model.onnx" in message

    wait_until(refused, 60, "the reason in /v1/config")
    assert statuses(served, "demo-street")["1"][0] == "AVAILABLE"
    wait_for_frames(served, "street")
    shutil.rmtree(version)


def test_truncating_a_served_file_changes_nothing_and_is_said(served: Fleet) -> None:
    wait_for_frames(served, "street")
    file = served.folder / "models" / "demo-street" / "1" / "model.onnx"
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    wait_until(lambda: "sha256" in statuses(served, "demo-street")["1"][1], 60, "the reason")
    assert statuses(served, "demo-street")["1"][0] == "AVAILABLE"
    wait_for_frames(served, "street")
    file.write_bytes(whole)
    wait_until(lambda: "sha256" not in statuses(served, "demo-street")["1"][1], 60, "it to heal")


def test_a_broken_config_keeps_everything_served_and_names_the_line(served: Fleet) -> None:
    path = served.folder / "models" / "config.json"
    good = path.read_text()
    path.write_text('{"model_config_list": [\n')
    wait_until(lambda: "config.json:2: not valid JSON" in health(served), 60, "it on the page")
    wait_for_frames(served, "street")
    path.write_text(good)
    wait_until(lambda: "not valid JSON" not in health(served), 60, "the page to forget it")


def test_a_server_that_goes_away_and_comes_back_loses_no_camera(served: Fleet) -> None:
    assert served.server is not None
    served.server.stop()
    reason(served, "street", "waiting for model server")
    port = served.env["CAMFLEET_SERVER"].rpartition(":")[2]
    start_server(served, grpc=port)
    wait_for_frames(served, "street")


def test_a_model_that_is_published_later_heals_its_camera(served: Fleet) -> None:
    models = served.folder / "models"
    shutil.copytree(models / "demo-street" / "1", models / "not-there" / "1")
    with edit_serving_config(models / "config.json") as document:
        entry = {"config": {"name": "not-there", "base_path": "not-there"}}
        document["model_config_list"].append(entry)
    wait_for_frames(served, "unknown")


def test_state_changes_of_a_camera_are_events(served: Fleet) -> None:
    with listening(served, "?since=0&types=OccurrenceEvent") as messages:

        def labels() -> set[str]:
            return {message["results"]["event_label"] for message in messages.all}

        wait_until(lambda: "camera_state" in labels(), 60, "events of camera states")
