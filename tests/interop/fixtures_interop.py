"""Real model servers for the interop tests: one on a generated model, one on real models."""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from camfleet_contracts.volume import publish_version
from model_volume import Volume
from other_clients import Address
from processes import Service, running
from real_models import REAL_MODELS
from triton_models import TRITON_MODELS
from waiting import wait_until

LOAD_LIMIT_S = 300  # this machine may be busy
LISTENING = r"listening grpc=(\S+) rest=(\S+)"


@contextmanager
def model_server(config: Path, *options: str) -> Iterator[tuple[Service, Address]]:
    """Run camfleet-server on free ports until the block ends."""
    ports = ("--port", "auto", "--rest_port", "auto")
    env = {"CAMFLEET_STATE": str(config.parent / "state")}
    with running(
        "camfleet-server", "--config_path", str(config), *ports, *options, env=env
    ) as service:
        found = service.logged(LISTENING)
        yield service, Address(grpc=found[1], rest=found[2])


def wait_available(service: Service, address: Address, names: set[str]) -> None:
    """Wait until the newest version of every model is AVAILABLE."""
    url = f"http://{address.rest}/v1/config"

    def available() -> bool:
        states = httpx.get(url, trust_env=False, timeout=30).json()
        newest = {name: models["model_version_status"][:1] for name, models in states.items()}
        ready = {name for name, status in newest.items() if is_available(status)}
        return names <= ready

    try:
        wait_until(available, LOAD_LIMIT_S, f"{sorted(names)} AVAILABLE")
    except AssertionError as error:
        raise AssertionError(f"{error}\n{service.log()}") from error


def is_available(status: list[Mapping[str, str]]) -> bool:
    return bool(status) and status[0]["state"] == "AVAILABLE"


@pytest.fixture(scope="session")
def adder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Address]:
    """A server with y = x + 1 (version 1) and y = x + 2 (version 2) on four numbers."""
    volume = Volume(tmp_path_factory.mktemp("adder"))
    volume.publish_adder("adder", 1, 1.0)
    volume.publish_adder("adder", 2, 2.0, id="adder", purpose="ObjectDetection")
    volume.serve("adder", model_version_policy={"all": {}})
    with model_server(volume.config_path) as (service, address):
        wait_available(service, address, {"adder"})
        yield address


@pytest.fixture(scope="session")
def triton(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Address]:
    """A server as Triton's clients expect one: its models, explicit control, shared memory."""
    volume = Volume(tmp_path_factory.mktemp("triton"))
    for name, save in TRITON_MODELS.items():
        publish_version(volume.root, name, 1, save)
    volume.serve("simple")
    volume.serve("simple_identity")
    options = ("--model-control", "explicit", "--allow-client-shm", "--server_name", "triton")
    with model_server(volume.config_path, *options) as (service, address):
        wait_available(service, address, {"simple", "simple_identity"})
        yield address


@pytest.fixture(scope="session")
def real(
    shared_data: Path, repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Address]:
    """A server with the real models of `real_models` and the catalogue's manifests of them."""
    root = tmp_path_factory.mktemp("real")
    shutil.copy(repository / "models" / "catalog.json", root)
    for model in REAL_MODELS:
        version = root / model.name / "1"
        version.mkdir(parents=True)
        for path in model.files:
            shutil.copy(shared_data / "models" / path, version)
    names = {model.name for model in REAL_MODELS}
    entries = [{"config": {"name": name, "base_path": name}} for name in sorted(names)]
    config = root / "config.json"
    config.write_text(json.dumps({"model_config_list": entries}))
    with model_server(config) as (service, address):
        wait_available(service, address, names)
        yield address
