import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

import check_deploy
from compose_merge import merged, read_compose
from container_fleet import inherited_environment

OVERLAYS = check_deploy.overlays()
ENVIRONMENT = inherited_environment() | check_deploy.WANTED

each_overlay = pytest.mark.parametrize(
    "overlay", OVERLAYS, ids=lambda path: f"{path.parent.name}-{path.stem}"
)


@pytest.fixture
def compose() -> dict[str, Any]:
    return read_compose(check_deploy.COMPOSE)


def configured(overlay: Path) -> dict[str, Any]:
    """What Docker Compose makes of docker-compose.yml and the overlay together."""
    if not shutil.which("docker-compose"):
        pytest.skip("docker-compose is not installed")
    done = subprocess.run(
        ["docker-compose", "-f", str(check_deploy.COMPOSE), "-f", str(overlay), "config"],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = YAML(typ="safe").load(done.stdout)
    return document


@each_overlay
def test_an_overlay_says_at_its_head_what_it_is_for_and_how_it_is_used(overlay: Path) -> None:
    head = re.match(r"(# .*\n)+", overlay.read_text())
    used = f"-f compose/{overlay.name}" if overlay.parent.name == "compose" else "make balena"

    assert head is not None
    assert used in head.group()


@each_overlay
def test_an_overlay_is_of_the_version_of_the_file_below_it(
    overlay: Path, compose: dict[str, Any]
) -> None:
    assert read_compose(overlay)["version"] == compose["version"]


@each_overlay
def test_what_an_overlay_builds_or_mounts_is_in_the_repository(
    overlay: Path, repository: Path
) -> None:
    services = read_compose(overlay)["services"].values()
    dockerfiles = [service["build"]["dockerfile"] for service in services if "build" in service]
    mounts = [mount for service in services for mount in service.get("volumes", [])]
    files = [mount.split(":")[0] for mount in mounts if mount.startswith("./")]

    assert [file for file in (*dockerfiles, *files) if not (repository / file).exists()] == []


@each_overlay
def test_an_image_of_others_is_named_with_its_version(overlay: Path) -> None:
    services = read_compose(overlay)["services"].values()
    images = [service["image"] for service in services if "image" in service]

    assert all(re.search(r":v?\d+\.\d+\.\d+$", image) for image in images)


@pytest.mark.parametrize("overlay", ["lan", "balena/usb"])  # a second of a core each
def test_docker_compose_reads_an_overlay_as_we_merge_it(
    overlay: str, compose: dict[str, Any], repository: Path
) -> None:
    path = repository / f"compose/{overlay}.yml"
    theirs = configured(path)["services"]
    ours = merged(compose, read_compose(path))["services"]

    assert theirs.keys() == ours.keys()
    for name, service in ours.items():
        for key in ("command", "entrypoint", "cap_add", "devices", "group_add", "privileged"):
            assert theirs[name].get(key) == service.get(key), f"{name} {key}"
        assert theirs[name].get("environment", {}).keys() == service.get("environment", {}).keys()


def test_in_a_network_of_its_own_the_fleet_is_on_no_network_of_the_box(
    compose: dict[str, Any], repository: Path
) -> None:
    services = merged(compose, read_compose(repository / "compose/bridge.yml"))["services"].values()

    assert not any("network_mode" in service for service in services)
    assert {tuple(service["networks"]) for service in services} == {("fleet",)}


def test_in_a_network_of_its_own_services_are_named_where_others_look_for_them(
    repository: Path,
) -> None:
    services = read_compose(repository / "compose/bridge.yml")["services"]

    addresses = services["analytics"]["environment"]
    named = " ".join(addresses.values()) + " ".join(services["gateway"]["environment"].values())
    assert {name for name in services if re.search(rf"\b{name}:\d", named)} == {
        "capture",
        "model-server",
        "analytics",
        "workbench",
    }
    inner = [p for name in ("capture", "model-server") for p in services[name]["ports"]]
    assert all(port.startswith("127.0.0.1:") for port in inner)


def test_with_tls_only_the_gateway_is_reached_from_other_machines(
    compose: dict[str, Any], repository: Path
) -> None:
    services = merged(compose, read_compose(repository / "compose/lan.yml"))["services"]

    bound = {name: s.get("environment", {}).get("BIND_ADDRESS") for name, s in services.items()}
    assert [name for name, address in bound.items() if address == "0.0.0.0"] == ["gateway"]


def test_prometheus_asks_every_service_that_has_metrics(repository: Path) -> None:
    jobs = read_compose(repository / "compose/prometheus.yml")["scrape_configs"]

    asked = {job["job_name"]: job["static_configs"][0]["targets"][0] for job in jobs}
    assert asked == {
        "analytics": "127.0.0.1:5000",
        "capture": "127.0.0.1:8553",
        "model-server": "127.0.0.1:8000",
    }


def test_grafana_finds_our_dashboards_where_they_are_mounted(repository: Path) -> None:
    grafana = read_compose(repository / "compose/monitoring.yml")["services"]["grafana"]
    provider = repository / "compose/grafana/provisioning/dashboards/camfleet.yml"
    (folder,) = [p["options"]["path"] for p in read_compose(provider)["providers"]]

    assert f"./compose/grafana:{folder}:ro" in grafana["volumes"]
    home = grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert (repository / "compose/grafana" / Path(home).relative_to(folder)).is_file()
