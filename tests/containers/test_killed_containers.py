"""Services killed one by one, many times, and all at once in the middle of a publish."""

import pytest

from container_fleet import SERVICES, ContainerFleet
from messages import next_event, next_message, versions
from waiting import wait_until

pytestmark = pytest.mark.containers

# Publishes a version and stays in the middle of it until the machine is gone.
PUBLISH_WITHOUT_END = """
import shutil, time
from pathlib import Path
from camfleet_contracts.volume import publish_version

def fill(new):
    shutil.copy("/models/yunet-n/1/yunet_n_320_320.onnx", new)
    Path("/models/half-way").touch()
    time.sleep(600)

publish_version(Path("/models"), "yunet-n", None, fill)
"""
PUBLISH = """
import shutil
from pathlib import Path
from camfleet_contracts.volume import publish_version
served = Path("/models/yunet-n/1")

def fill(new):
    shutil.copytree(served, new, dirs_exist_ok=True)

publish_version(Path("/models"), "yunet-n", None, fill)
"""
BACK_S = 60


@pytest.mark.parametrize("service", SERVICES)
def test_a_killed_service_is_back_and_the_fleet_works_on(
    running_fleet: ContainerFleet, service: str
) -> None:
    pid = running_fleet.inspect(service, "{{.State.Pid}}")

    running_fleet.kill(service)

    running_fleet.wait_until_back(service, pid, BACK_S)
    next_message(running_fleet, BACK_S, lambda message: message["camera"] == "street")


def test_a_service_killed_ten_times_in_a_row_is_back(running_fleet: ContainerFleet) -> None:
    restarts = int(running_fleet.inspect("capture", "{{.RestartCount}}"))

    for _kill in range(10):
        pid = running_fleet.inspect("capture", "{{.State.Pid}}")
        running_fleet.kill("capture")
        running_fleet.wait_until_restarted(
            "capture", pid, timeout_s=120
        )  # Docker waits longer each time

    assert int(running_fleet.inspect("capture", "{{.RestartCount}}")) >= restarts + 10
    running_fleet.wait_until_healthy(BACK_S)
    next_message(running_fleet, BACK_S, lambda message: message["camera"] == "street")


def test_a_power_cut_in_the_middle_of_a_publish_loses_nothing(
    running_fleet: ContainerFleet,
) -> None:
    before = next_event(running_fleet, 90)
    workbench = running_fleet.container_of("workbench")
    running_fleet.docker("exec", "--detach", workbench, "python", "-c", PUBLISH_WITHOUT_END)
    seen = ("test", "-e", "/models/half-way")
    wait_until(lambda: running_fleet.succeeds_in("workbench", *seen), 60, "a half-copied version")
    pids = {service: running_fleet.inspect(service, "{{.State.Pid}}") for service in SERVICES}

    running_fleet.kill(*SERVICES)

    for service, pid in pids.items():
        running_fleet.wait_until_back(service, pid, BACK_S)
    assert versions(running_fleet, "yunet-n") == {"1": "AVAILABLE"}
    after = next_event(running_fleet, 90, f"?since={before['seq']}")
    assert (after["epoch"], after["seq"]) == (before["epoch"], before["seq"] + 1)
    running_fleet.run_in("workbench", "python", "-c", PUBLISH)
    wait_until(
        lambda: versions(running_fleet, "yunet-n").get("2") == "AVAILABLE", 60, "the next version"
    )
