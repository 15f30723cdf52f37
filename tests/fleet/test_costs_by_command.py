"""`camfleet camera advise` and `camfleet doctor --capacity` beside a running fleet."""

import json
import subprocess
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

from fleet_of_processes import Fleet, running_fleet, wait_for_frames
from processes import BIN

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
CAMERAS = """
cameras:
  - {name: street, source: 'demo:street', pipeline: {model: demo-street, fps: 10}}
"""


def run(fleet: Fleet, *arguments: str) -> subprocess.CompletedProcess[str]:
    ports = {
        "STREAMER_PORT": fleet.page.rpartition(":")[2],
        "REST_PORT": fleet.rest.rpartition(":")[2],
        "CAMERAS_FILE": str(fleet.folder / "cameras.yaml"),
    }
    return subprocess.run(
        [str(BIN / "camfleet"), *arguments],
        env=fleet.env | ports,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def advice(fleet: Fleet, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run(fleet, "camera", "advise", "--seconds", "10", *arguments)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("fleet")
    copytree(ROOT / "models", folder / "models")
    (folder / "cameras.yaml").write_text(CAMERAS)
    with running_fleet(folder) as fleet:
        wait_for_frames(fleet, "street")
        yield fleet


def test_advice_is_in_figures_of_the_running_fleet(fleet: Fleet) -> None:
    answer = advice(fleet, "--json")
    assert answer.returncode == 0, answer.stderr
    [camera] = json.loads(answer.stdout)["cameras"]
    assert camera["name"] == "street"
    assert all(camera["costs"][part] > 0 for part in ("decode", "reader", "pipeline"))
    assert camera["costs"]["model_server"] > 0
    [rate] = [one for one in camera["advice"] if one["change"] == "fps: 5"]
    assert rate["saves_ms_per_s"] > 0


def test_unknown_camera_is_named_with_those_there_are(fleet: Fleet) -> None:
    answer = advice(fleet, "attic")
    assert answer.returncode == 1
    assert "no camera 'attic'; it has street" in answer.stderr


def test_fleet_that_does_not_run_is_named(fleet: Fleet, tmp_path: Path) -> None:
    command = [str(BIN / "camfleet"), "camera", "advise"]
    env = {"CAMFLEET_STATE": str(tmp_path), "STREAMER_PORT": "1", "PATH": str(BIN)}
    answer = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert answer.returncode == 1
    assert "start it with: camfleet up" in answer.stderr


def test_capacity_is_measured_beside_the_running_fleet(fleet: Fleet) -> None:
    answer = run(fleet, "doctor", "--capacity", "--model", "demo-street", "--json")
    assert answer.returncode == 0, answer.stderr
    measured = json.loads(answer.stdout)
    costs = measured["costs_ms"]["720p15"]
    assert costs["decode_ms"] > 0
    assert costs["inference"]["server_ms"] >= 0
    rates = [one["fps"] for one in measured["capacity"] if one["film"] == "1080p15"]
    assert rates == [1, 5, 10, 15]


def test_capacity_names_a_model_that_is_not_served(fleet: Fleet) -> None:
    answer = run(fleet, "doctor", "--capacity", "--model", "missing")
    assert answer.returncode == 1
    assert "model 'missing' is not served" in answer.stderr
