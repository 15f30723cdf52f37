from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from compose_rules import violations

GOOD = """
version: "2.4"
volumes: {models: {}}
services:
  server:
    build: {context: ., dockerfile: services/server/Dockerfile}
    volumes: [models:/models:ro]
"""
BAD = {
    "newer version": (GOOD.replace("2.4", "3.8"), "version is '3.8'"),
    "no version": (GOOD.replace('version: "2.4"', ""), "version is None"),
    "project name": (GOOD + "\nname: fleet\n", "name: balena does not know"),
    "variable": (GOOD + "    command: ['${COMMAND}']\n", "${COMMAND}: balena does not"),
    "bind mount": (GOOD.replace("models:/models", "./models:/models"), "server: volume ./models"),
    "undeclared volume": (GOOD.replace("[models:", "[other:"), "server: volume other"),
    "condition": (
        GOOD + "    depends_on: {capture: {condition: service_healthy}}\n",
        "server: depends_on",
    ),
    "env_file": (GOOD + "    env_file: .env\n", "server: env_file"),
    "profiles": (GOOD + "    profiles: [gpu]\n", "server: profiles"),
    "container name": (GOOD + "    container_name: server\n", "server: container_name"),
    "unknown dependency": (GOOD + "    depends_on: [capture]\n", "server: depends_on capture"),
    "neither build nor image": (
        'version: "2.4"\nservices: {server: {network_mode: host}}',
        "server: neither build nor image",
    ),
    "ports of the host": (
        GOOD + "    network_mode: host\n    ports: ['80:80']\n",
        "server: ports",
    ),
    "network of a container": (
        GOOD + "    network_mode: container:other\n",
        "server: network_mode container:other",
    ),
    "bare truth": (GOOD + "    environment: {DEBUG: true}\n", "server: environment DEBUG"),
    "socket of the engine": (
        GOOD + "    labels: {io.balena.features.balena-socket: '1'}\n",
        "server: label io.balena.features.balena-socket",
    ),
    "no confinement": (
        GOOD + "    security_opt: ['seccomp:unconfined']\n",
        "server: security_opt seccomp:unconfined",
    ),
    "gpu": (GOOD + "    runtime: nvidia\n", "server: runtime"),
    "outer context": (GOOD.replace("context: .,", "context: ..,"), "server: build.context .."),
    "build network": (GOOD.replace("{context", "{network: host, context"), "server: build.network"),
}


def parsed(source: str | Path) -> dict[str, Any]:
    document: dict[str, Any] = YAML(typ="safe").load(source)
    return document


@pytest.fixture(scope="module")
def compose(repository: Path) -> dict[str, Any]:
    return parsed(repository / "docker-compose.yml")


@pytest.mark.parametrize(("text", "fault"), BAD.values(), ids=BAD.keys())
def test_a_compose_file_that_balena_refuses_is_found(text: str, fault: str) -> None:
    assert any(found.startswith(fault) for found in violations(parsed(text)))


def test_a_compose_file_for_both_is_accepted() -> None:
    assert violations(parsed(GOOD)) == []


def test_our_compose_file_is_for_docker_and_balena(compose: dict[str, Any]) -> None:
    assert violations(compose) == []


def test_each_service_is_built_from_a_dockerfile_that_exists(
    compose: dict[str, Any], repository: Path
) -> None:
    builds = [service["build"] for service in compose["services"].values()]
    built = {Path(b["context"], b.get("dockerfile", "Dockerfile")) for b in builds}
    present = [*repository.glob("services/*/Dockerfile"), *repository.glob("compose/*/Dockerfile")]

    assert built == {path.relative_to(repository) for path in present}


def test_each_service_restarts_and_shares_the_network_of_the_box(compose: dict[str, Any]) -> None:
    modes = {(s["restart"], s["network_mode"]) for s in compose["services"].values()}

    assert modes == {("always", "host")}


def test_what_is_bound_beyond_loopback_names_the_networks_it_accepts(
    compose: dict[str, Any],
) -> None:
    environments = [service.get("environment", {}) for service in compose["services"].values()]
    exposed = [e for e in environments if e.get("BIND_ADDRESS", "127.0.0.1") != "127.0.0.1"]

    assert len(exposed) == 3
    assert all("192.168.0.0/16" in environment["ALLOW_CIDR"] for environment in exposed)
    assert not any("0.0.0.0/0" in environment["ALLOW_CIDR"] for environment in exposed)


@pytest.mark.parametrize("name", ["capture", "model-server", "analytics", "gateway"])
def test_a_service_writes_to_its_volumes_and_to_memory_only(
    name: str, compose: dict[str, Any]
) -> None:
    service = compose["services"][name]

    assert service["read_only"] is True
    assert service["tmpfs"] == ["/tmp"]  # noqa: S108 - a mount, not a file


def test_services_give_up_their_capabilities_but_for_port_80(compose: dict[str, Any]) -> None:
    services = compose["services"]

    assert {tuple(service["cap_drop"]) for service in services.values()} == {("ALL",)}
    added = {name: service["cap_add"] for name, service in services.items() if "cap_add" in service}
    assert added == {"gateway": ["NET_BIND_SERVICE"]}
    confined = {name for name, service in services.items() if "security_opt" in service}
    assert confined == services.keys() - {"gateway"}  # a file capability is a new privilege


def test_who_only_reads_a_volume_cannot_write_it(compose: dict[str, Any]) -> None:
    mounts = {name: service["volumes"] for name, service in compose["services"].items()}

    assert "models:/models:ro" in mounts["capture"]
    writers = {name for name, used in mounts.items() if "secrets:/secrets" in used}
    assert writers == {"analytics"}
    assert not any(mount.startswith("secrets") for mount in mounts["workbench"])


def test_balena_describes_the_same_version_as_the_packages(repository: Path) -> None:
    described = parsed(repository / "balena.yml")

    assert described["type"] == "sw.application"
    assert f'version = "{described["version"]}"' in (repository / "pyproject.toml").read_text()


def test_the_logo_is_a_square_of_the_size_that_balena_asks_for(repository: Path) -> None:
    beginning = (repository / "docs" / "images" / "logo.png").read_bytes()[:24]

    assert beginning.startswith(b"\x89PNG\r\n")
    assert [int.from_bytes(beginning[at : at + 4]) for at in (16, 20)] == [512, 512]


def test_the_overlay_for_small_boxes_bounds_every_service(
    compose: dict[str, Any], repository: Path
) -> None:
    bounded = parsed(repository / "compose" / "small.yml")["services"]

    assert bounded.keys() == compose["services"].keys()
    megabytes = [int(service["mem_limit"].removesuffix("m")) for service in bounded.values()]
    assert sum(megabytes) < 1900


def test_the_overlay_for_usb_cameras_lets_capture_use_video_devices_and_no_others(
    compose: dict[str, Any], repository: Path
) -> None:
    overlay = parsed(repository / "compose" / "usb.yml")
    (name,) = overlay["services"]
    service = overlay["services"][name]
    assert (overlay["version"], name) == (compose["version"], "capture")
    assert service["device_cgroup_rules"] == ["c 81:* rmw"]
    assert service["group_add"] == ["video"]
    assert "privileged" not in service
