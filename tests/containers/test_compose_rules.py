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
    "variable": (GOOD + "    command: ['${COMMAND}']\n", "line 8: balena does not substitute"),
    "bind mount": (GOOD.replace("models:/models", "./models:/models"), "server: volume ./models"),
    "undeclared volume": (GOOD.replace("[models:", "[other:"), "server: volume other"),
    "condition": (
        GOOD + "    depends_on: {capture: {condition: service_healthy}}\n",
        "server: depends_on",
    ),
    "env_file": (GOOD + "    env_file: .env\n", "server: env_file"),
    "profiles": (GOOD + "    profiles: [gpu]\n", "server: profiles"),
    "container name": (GOOD + "    container_name: server\n", "server: container_name"),
    "gpu": (GOOD + "    runtime: nvidia\n", "server: runtime"),
    "outer context": (GOOD.replace("context: .,", "context: ..,"), "server: build.context .."),
    "build network": (GOOD.replace("{context", "{network: host, context"), "server: build.network"),
}


@pytest.fixture
def compose(repository: Path) -> dict[str, Any]:
    document: dict[str, Any] = YAML(typ="safe").load(repository / "docker-compose.yml")
    return document


@pytest.mark.parametrize(("text", "fault"), BAD.values(), ids=BAD.keys())
def test_a_compose_file_that_balena_refuses_is_found(text: str, fault: str) -> None:
    assert any(found.startswith(fault) for found in violations(text))


def test_a_compose_file_for_both_is_accepted() -> None:
    assert violations(GOOD) == []


def test_our_compose_file_is_for_docker_and_balena(repository: Path) -> None:
    assert violations((repository / "docker-compose.yml").read_text()) == []


def test_each_service_is_built_from_a_dockerfile_that_exists(
    compose: dict[str, Any], repository: Path
) -> None:
    built = {service["build"]["dockerfile"] for service in compose["services"].values()}
    present = repository.glob("services/*/Dockerfile")

    assert built == {str(path.relative_to(repository)) for path in present}


def test_each_service_restarts_and_shares_the_network_of_the_box(compose: dict[str, Any]) -> None:
    modes = {(s["restart"], s["network_mode"]) for s in compose["services"].values()}

    assert modes == {("always", "host")}


def test_what_is_bound_beyond_loopback_names_the_networks_it_accepts(
    compose: dict[str, Any],
) -> None:
    environments = [service.get("environment", {}) for service in compose["services"].values()]
    exposed = [e for e in environments if e.get("BIND_ADDRESS", "127.0.0.1") != "127.0.0.1"]

    assert len(exposed) == 2
    assert all("192.168.0.0/16" in environment["ALLOW_CIDR"] for environment in exposed)
    assert not any("0.0.0.0/0" in environment["ALLOW_CIDR"] for environment in exposed)


def test_balena_describes_the_same_version_as_the_packages(repository: Path) -> None:
    described = YAML(typ="safe").load(repository / "balena.yml")

    assert described["type"] == "sw.application"
    assert f'version = "{described["version"]}"' in (repository / "pyproject.toml").read_text()


def test_the_overlay_for_usb_cameras_lets_capture_use_video_devices_and_no_others(
    compose: dict[str, Any], repository: Path
) -> None:
    overlay: dict[str, Any] = YAML(typ="safe").load(repository / "compose" / "usb.yml")
    (name,) = overlay["services"]
    service = overlay["services"][name]
    assert (overlay["version"], name) == (compose["version"], "capture")
    assert service["device_cgroup_rules"] == ["c 81:* rmw"]
    assert service["group_add"] == ["video"]
    assert "privileged" not in service
