import json
import sys
import time
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from websockets.sync.client import connect

from container_fleet import ContainerFleet

pytestmark = pytest.mark.containers

PUBLISH_NEXT_VERSION = """
import shutil
from pathlib import Path
from camfleet_contracts.volume import publish_version

models = Path("/models")
served = models / "demo-street" / "1"
publish_version(
    models, "demo-street", None, lambda new: shutil.copytree(served, new, dirs_exist_ok=True)
)
"""


def next_message(
    fleet: ContainerFleet, timeout_s: float, is_wanted: Callable[[dict[str, Any]], bool]
) -> dict[str, Any]:
    """Return the first wanted message of the event stream."""
    address = f"ws://127.0.0.1:{fleet.ports['STREAMER_PORT']}/v1/stream"
    deadline = time.monotonic() + timeout_s
    with connect(address, additional_headers={"x-api-key": fleet.key}) as stream:
        while True:
            message: dict[str, Any] = json.loads(stream.recv(deadline - time.monotonic()))
            if is_wanted(message):
                return message


def available_versions(fleet: ContainerFleet, model: str) -> set[str]:
    address = f"http://127.0.0.1:{fleet.ports['REST_PORT']}/v1/models/{model}"
    with urllib.request.urlopen(address) as answer:
        statuses = json.load(answer)["model_version_status"]
    return {status["version"] for status in statuses if status["state"] == "AVAILABLE"}


def test_the_fleet_comes_up_sends_events_serves_a_new_version_and_goes_down(
    container_fleet: ContainerFleet, capsys: pytest.CaptureFixture[str]
) -> None:
    container_fleet.compose("up", "--detach", "--build")
    container_fleet.wait_until_healthy(timeout_s=240)
    with capsys.disabled():
        sys.stdout.write(f"\ninstalled sizes\n{container_fleet.image_sizes()}\n")

    crossing = next_message(container_fleet, 90, lambda m: m["type"] == "OccurrenceEvent")
    assert crossing["camera"] == "street"
    assert available_versions(container_fleet, "demo-street") == {"1"}

    container_fleet.run_in("workbench", "python", "-c", PUBLISH_NEXT_VERSION)
    next_message(container_fleet, 30, lambda m: m["results"].get("model_version") == 2)
    assert "2" in available_versions(container_fleet, "demo-street")

    container_fleet.compose("down", "--volumes")
    assert container_fleet.containers() == []
