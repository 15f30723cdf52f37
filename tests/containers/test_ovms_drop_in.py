"""The model server in place of openvino/model_server in somebody else's compose file."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import ovmsclient
import pytest

from container_fleet import ContainerFleet, compose_command, run_command
from free_ports import free_ports
from single_container import wait_until_healthy
from waiting import wait_until

pytestmark = pytest.mark.containers

# As balena's OpenVINO toolkit has it, but for `image`, the number of the port, and `ports`: on the
# network of the box they have no effect, and Compose 1.29 refuses them.
COMPOSE = """\
version: '2'
volumes:
  models:
services:
  model-server:
    image: {image}
    privileged: true
    network_mode: host
    volumes:
      - 'models:/usr/openvino'
    command: /ovms/bin/ovms --config_path /usr/openvino/code/config.json --port {port}
"""
CONFIG = {
    "model_config_list": [
        {"config": {"name": "street", "base_path": "/usr/openvino/model/street"}},
    ]
}
PROJECT = "test-of-ovms"


@pytest.fixture
def compose(built_fleet: ContainerFleet, tmp_path: Path) -> Iterator[tuple[tuple[str, ...], int]]:
    """The compose command of the other project and the port of its server."""
    port = free_ports(("GRPC",))["GRPC"]
    image = built_fleet.image_of("model-server")
    (tmp_path / "docker-compose.yml").write_text(COMPOSE.format(image=image, port=port))
    file = str(tmp_path / "docker-compose.yml")
    command = (*compose_command(built_fleet.environment), "-p", PROJECT, "-f", file)
    yield command, port
    run_command(built_fleet.environment, *command, "down", "--volumes", "--timeout", "5")


def fill_volume(fleet: ContainerFleet, folder: Path, model: Path) -> None:
    """The layout of the toolkit's volume, owned by root as its `app` image leaves it."""
    (folder / "code").mkdir(parents=True)
    (folder / "model" / "street" / "1").mkdir(parents=True)
    (folder / "code" / "config.json").write_text(json.dumps(CONFIG))
    (folder / "model" / "street" / "1" / "model.onnx").write_bytes(model.read_bytes())
    volume = f"{PROJECT}_models"
    fleet.docker("volume", "create", volume)
    holder = fleet.docker(
        *("create", "--user", "0", "--volume", f"{volume}:/usr/openvino"),
        fleet.image_of("model-server"),
    )
    fleet.docker("cp", f"{folder}/.", f"{holder}:/usr/openvino")
    fleet.docker("rm", holder)


def test_the_toolkits_compose_file_runs_with_the_image_changed_only(
    built_fleet: ContainerFleet,
    compose: tuple[tuple[str, ...], int],
    repository: Path,
    tmp_path: Path,
) -> None:
    command, port = compose
    model = repository / "models" / "demo-street" / "1" / "model.onnx"
    fill_volume(built_fleet, tmp_path / "volume", model)

    run_command(built_fleet.environment, *command, "up", "--detach")
    container = run_command(built_fleet.environment, *command, "ps", "--quiet", "model-server")
    wait_until_healthy(built_fleet, container, 60)

    client = ovmsclient.make_grpc_client(f"127.0.0.1:{port}")
    wait_until(lambda: is_available(client), 60, "the model is served")
    (name, about), *_others = client.get_model_metadata("street")["inputs"].items()
    answer = client.predict({name: np.zeros(about["shape"], np.float32)}, "street")
    assert answer is not None


def is_available(client: Any) -> bool:
    try:
        return bool(client.get_model_status("street")[1]["state"] == "AVAILABLE")
    except (ConnectionError, TimeoutError, ovmsclient.ModelNotFoundError):
        return False
