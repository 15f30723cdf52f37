"""The fleet as `make up` starts it: real images, the network of the box, volumes of its own."""

import json
from pathlib import Path

import pytest

from container_fleet import CONFINED, SERVICES, ContainerFleet
from messages import next_message, versions
from waiting import wait_until

pytestmark = pytest.mark.containers

# Publishes the served version once more, as it is or, with an argument, as a file that the server
# has never seen, waits until it is served, and tells its number.
PUBLISH = """
import json, os, shutil, sys, time, urllib.request
from pathlib import Path
from camfleet_contracts.volume import publish_version, versions_of

models = Path("/models")
served = max(versions_of(models / "demo-street").items())[1]

def fill(new):
    shutil.copytree(served, new, dirs_exist_ok=True)
    if sys.argv[1:]:
        with (new / "model.onnx").open("ab") as file:  # its doc_string, field 6 of ModelProto
            file.write(bytes([0x32, len(sys.argv[1])]) + sys.argv[1].encode())

address = "http://127.0.0.1:" + os.environ["REST_PORT"] + "/v1/models/demo-street"
new = publish_version(models, "demo-street", None, fill)
states = {}
while states.get(new.name) != "AVAILABLE":
    time.sleep(0.01)
    with urllib.request.urlopen(address) as answer:
        told = json.load(answer)["model_version_status"]
    states = {status["version"]: status["state"] for status in told}
print(new.name)
"""


def test_a_crossing_of_the_demo_comes_out_as_an_event(running_fleet: ContainerFleet) -> None:
    crossing = next_message(running_fleet, 90, lambda m: m["type"] == "OccurrenceEvent")

    assert crossing["camera"] == "street"
    assert crossing["results"]["event_label"]


def test_an_offline_box_has_models_for_people_and_faces_at_its_first_boot(
    running_fleet: ContainerFleet,
) -> None:
    for model in ("demo-street", "fastestdet-coco", "yunet-n"):
        assert versions(running_fleet, model) == {"1": "AVAILABLE"}


def test_people_are_found_in_a_clip_that_was_copied_to_a_volume(
    running_fleet: ContainerFleet, shared_data: Path
) -> None:
    clip = shared_data / "media" / "clips" / "one-by-one-768x432.mp4"
    target = f"{running_fleet.container_of('workbench')}:/models/people.mp4"
    running_fleet.docker("cp", str(clip), target)

    add = ("camfleet", "camera", "add", "clip", "/models/people.mp4")
    running_fleet.run_in("analytics", *add, "--model", "fastestdet-coco")

    def is_person(message: dict[str, object]) -> bool:
        return message.get("camera") == "clip" and '"person"' in json.dumps(message)

    next_message(running_fleet, 60, is_person)
    running_fleet.run_in("analytics", "camfleet", "camera", "remove", "clip")


@pytest.mark.parametrize("arguments", [(), ("new",)], ids=["known hash", "new hash"])
def test_a_version_published_from_the_workbench_is_served_and_asked(
    running_fleet: ContainerFleet, arguments: tuple[str, ...]
) -> None:
    version = int(running_fleet.run_in("workbench", "python", "-c", PUBLISH, *arguments))
    next_message(running_fleet, 30, lambda m: m["results"].get("model_version") == version)


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_runs_as_the_user_of_the_fleet_and_may_nothing_more(
    running_fleet: ContainerFleet, service: str
) -> None:
    status = running_fleet.run_in(service, "cat", "/proc/1/status")
    told = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)

    assert told["Uid"].split() == ["10001"] * 4
    assert told["NoNewPrivs"] == "1"
    assert {told[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd")} == {"0" * 16}


@pytest.mark.parametrize("service", CONFINED)
def test_the_root_file_system_of_a_service_cannot_be_changed(
    running_fleet: ContainerFleet, service: str
) -> None:
    assert running_fleet.inspect(service, "{{.HostConfig.ReadonlyRootfs}}") == "true"
    changed = running_fleet.docker("diff", running_fleet.container_of(service)).splitlines()
    mounts = running_fleet.inspect(service, "{{range .Mounts}}{{.Destination}} {{end}}").split()

    assert {line.split()[1] for line in changed} <= set(mounts)


def test_the_doctor_in_a_container_finds_nothing_wrong(running_fleet: ContainerFleet) -> None:
    findings = json.loads(running_fleet.run_in("analytics", "camfleet", "doctor", "--json"))

    assert [finding for finding in findings if finding["verdict"] == "bad"] == []
    folders = {one["check"]: one["verdict"] for one in findings if "folder" in one["check"]}
    assert set(folders) >= {"folder model volume", "folder state", "folder cache"}


def test_a_stop_is_heard_by_every_service_at_once(running_fleet: ContainerFleet) -> None:
    running_fleet.compose("stop", "--timeout", "10", *SERVICES)
    ends = {service: running_fleet.inspect(service, "{{.State.ExitCode}}") for service in SERVICES}

    running_fleet.up()
    wait_until(lambda: versions(running_fleet, "yunet-n"), 60, "the server serves again")
    assert ends == dict.fromkeys(SERVICES, "0")
