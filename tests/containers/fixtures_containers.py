"""An engine for the tests marked `containers`, the images, and the fleet on it."""

import functools
import http.server
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from container_fleet import ContainerFleet, inherited_environment
from serving_thread import in_thread

LAB = Path(__file__).with_name("lab.sh")
ARM64_LAB = Path(__file__).with_name("lab_arm64.sh")
NO_ENGINE = 3


@pytest.fixture(scope="session")
def engine_environment() -> Iterator[dict[str, str]]:
    """What docker needs to find an engine; starts one where none answers and stops it again."""
    with _engine(LAB) as environment:
        yield environment


@pytest.fixture(scope="module")
def arm64_environment() -> Iterator[dict[str, str]]:
    """The same for an engine whose base image is for arm64."""
    with _engine(ARM64_LAB) as environment:
        yield environment


@contextmanager
def _engine(lab: Path) -> Iterator[dict[str, str]]:
    started = not _answers(_lab_environment(lab))
    up = subprocess.run([lab, "up"], stderr=subprocess.PIPE, text=True, check=False)
    if up.returncode == NO_ENGINE:
        pytest.skip(up.stderr.strip().splitlines()[-1])
    assert up.returncode == 0, up.stderr
    yield _lab_environment(lab)
    if started:
        subprocess.run([lab, "down"], check=True, capture_output=True)


@pytest.fixture(scope="session")
def built_fleet(
    repository: Path,
    tmp_path_factory: pytest.TempPathFactory,
    engine_environment: dict[str, str],
    shared_data: Path,
) -> ContainerFleet:
    """The fleet of the repository with its images built, not started."""
    fleet = ContainerFleet(repository, tmp_path_factory.mktemp("fleet"), engine_environment)
    gateway = fleet.docker(
        *("network", "inspect", "--format", "{{(index .IPAM.Config 0).Gateway}}", "bridge")
    )
    with mirror(shared_data, gateway) as address:
        fleet.build(address)
    return fleet


@pytest.fixture(scope="module")
def running_fleet(built_fleet: ContainerFleet) -> Iterator[ContainerFleet]:
    """The fleet, up and healthy; a test that breaks something leaves it healthy again."""
    built_fleet.up()
    try:
        built_fleet.wait_until_healthy(timeout_s=240)
        yield built_fleet
        sys.stdout.write(built_fleet.compose("logs", "--tail", "40"))  # shown of a failed test
    finally:
        built_fleet.compose("down", "--volumes", "--remove-orphans", "--timeout", "10")


@contextmanager
def mirror(folder: Path, host: str) -> Iterator[str]:
    """Serve a folder to builds: they see this machine as the gateway of their network."""
    handler = functools.partial(_SilentHandler, directory=str(folder))
    with in_thread(http.server.ThreadingHTTPServer((host, 0), handler)) as server:
        yield f"http://{host}:{server.server_port}"


class _SilentHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_arguments: object) -> None:
        pass


def _lab_environment(lab: Path) -> dict[str, str]:
    exports = subprocess.run([lab, "env"], capture_output=True, text=True, check=True).stdout
    words = [word for word in shlex.split(exports) if "=" in word]
    return inherited_environment() | dict(word.split("=", 1) for word in words)


def _answers(environment: dict[str, str]) -> bool:
    asked = subprocess.run(["docker", "version"], env=environment, capture_output=True, check=False)
    return asked.returncode == 0
