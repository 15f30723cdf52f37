"""The fleet on a network of its own (compose/bridge.yml), within the bounds of a small box.

Compose 1.29, which tests run with, does not know `!reset`, so both files are merged for it.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from compose_merge import merged, read_compose
from container_fleet import SERVICES, ContainerFleet
from free_ports import free_ports
from messages import next_message

pytestmark = pytest.mark.containers

PORTS = {
    "RTSP_PORT": "8554",
    "CAPTURE_HTTP_PORT": "8553",
    "GRPC_PORT": "9000",
    "REST_PORT": "8000",
    "STREAMER_PORT": "5000",
    "JUPYTER_PORT": "8888",
}


def with_free_ports(repository: Path, target: Path) -> dict[str, int]:
    """Write the files as one with other ports on the side of the box; return them by names."""
    document = read_compose(repository / "docker-compose.yml")
    for overlay in ("bridge.yml", "small.yml"):
        document = merged(document, read_compose(repository / "compose" / overlay))
    chosen = free_ports(tuple(PORTS))
    of_container = {PORTS[name]: port for name, port in chosen.items()}
    for service in document["services"].values():
        published = [text.rpartition(":")[2] for text in service["ports"]]
        service["ports"] = [f"127.0.0.1:{of_container.get(p, 0)}:{p}" for p in published]
    YAML().dump(document, target)
    return chosen


@pytest.fixture
def bridged_fleet(
    built_fleet: ContainerFleet, repository: Path, tmp_path: Path
) -> Iterator[ContainerFleet]:
    ports = with_free_ports(repository, tmp_path / "bridge.yml")
    fleet = built_fleet.on_network_of_its_own(tmp_path / "bridge.yml", ports)
    fleet.up()
    try:
        fleet.wait_until_healthy(timeout_s=240)
        yield fleet
        sys.stdout.write(fleet.compose("logs", "--tail", "40"))  # shown of a failed test
    finally:
        fleet.compose("down", "--volumes", "--remove-orphans", "--timeout", "10")


def test_services_on_a_network_of_their_own_find_each_other_and_count(
    bridged_fleet: ContainerFleet,
) -> None:
    crossing = next_message(bridged_fleet, 90, lambda m: m["type"] == "OccurrenceEvent")

    assert crossing["camera"] == "street"
    assert bridged_fleet.inspect("analytics", "{{.HostConfig.NetworkMode}}") != "host"
    bounds = [int(bridged_fleet.inspect(one, "{{.HostConfig.Memory}}")) for one in SERVICES]
    assert all(bounds)
    assert [bridged_fleet.inspect(one, "{{.RestartCount}}") for one in SERVICES] == ["0"] * 4
