"""An engine for the tests marked `containers`, and the fleet on it."""

import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from container_fleet import ContainerFleet, inherited_environment

LAB = Path(__file__).with_name("lab.sh")
NO_ENGINE = 3


@pytest.fixture(scope="session")
def engine_environment() -> Iterator[dict[str, str]]:
    """What docker needs to find an engine; starts one where none answers and stops it again."""
    started = not _answers(_lab_environment())
    up = subprocess.run([LAB, "up"], stderr=subprocess.PIPE, text=True, check=False)
    if up.returncode == NO_ENGINE:
        pytest.skip(up.stderr.strip().splitlines()[-1])
    assert up.returncode == 0, up.stderr
    yield _lab_environment()
    if started:
        subprocess.run([LAB, "down"], check=True, capture_output=True)


@pytest.fixture
def container_fleet(
    repository: Path, tmp_path: Path, engine_environment: dict[str, str]
) -> Iterator[ContainerFleet]:
    """The fleet of the repository, not yet built; whatever a test leaves of it is removed."""
    fleet = ContainerFleet(repository, tmp_path, engine_environment)
    yield fleet
    sys.stdout.write(fleet.compose("logs", "--tail", "40"))  # pytest shows it when the test failed
    fleet.compose("down", "--volumes", "--remove-orphans", "--timeout", "10")


def _lab_environment() -> dict[str, str]:
    exports = subprocess.run([LAB, "env"], capture_output=True, text=True, check=True).stdout
    words = [word for word in shlex.split(exports) if "=" in word]
    return inherited_environment() | dict(word.split("=", 1) for word in words)


def _answers(environment: dict[str, str]) -> bool:
    asked = subprocess.run(["docker", "version"], env=environment, capture_output=True, check=False)
    return asked.returncode == 0
