"""Containers that a test starts by itself, each from one image, and the volumes they use."""

import subprocess
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from container_fleet import ContainerFleet
from waiting import wait_until

LABEL = "camfleet-test"


@dataclass(frozen=True, slots=True)
class Ended:
    """How a container ended and what it wrote to its log."""

    code: int
    log: str


@contextmanager
def volume(fleet: ContainerFleet, *options: str) -> Iterator[str]:
    """An empty volume; `options` are those of `docker volume create`."""
    name = fleet.docker("volume", "create", *options, f"{LABEL}-{uuid.uuid4().hex[:8]}")
    try:
        yield name
    finally:
        fleet.docker("volume", "rm", "--force", name)


def run(fleet: ContainerFleet, image: str, options: Sequence[str], *command: str) -> Ended:
    """Run a container to its end."""
    arguments = ("docker", "run", "--rm", *options, image, *command)
    done = subprocess.run(
        arguments, env=fleet.environment, capture_output=True, text=True, timeout=120, check=False
    )
    return Ended(done.returncode, done.stdout + done.stderr)


@contextmanager
def running(
    fleet: ContainerFleet, image: str, options: Sequence[str], *command: str
) -> Iterator[str]:
    """A container that runs meanwhile; yields its id."""
    container = fleet.docker("run", "--detach", *options, image, *command)
    try:
        yield container
    finally:
        fleet.docker("rm", "--force", container)


def wait_until_healthy(fleet: ContainerFleet, container: str, timeout_s: float) -> None:
    template = ("--format", "{{.State.Health.Status}}")

    def is_healthy() -> bool:
        return fleet.docker("inspect", *template, container) == "healthy"

    try:
        wait_until(is_healthy, timeout_s, "the container is healthy")
    except AssertionError as error:
        raise AssertionError(f"{error}\n{log_of(fleet, container)}") from error


def log_of(fleet: ContainerFleet, container: str) -> str:
    shown = subprocess.run(
        ("docker", "logs", container),
        env=fleet.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return shown.stdout + shown.stderr
