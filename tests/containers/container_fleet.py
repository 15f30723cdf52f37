"""A fleet in containers: one compose project on one engine, used by one test."""

import json
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path

from waiting import wait_until

SERVICES = ("capture", "model-server", "analytics", "workbench")
PORTS = (
    "RTSP_PORT",
    "CAPTURE_HTTP_PORT",
    "GRPC_PORT",
    "REST_PORT",
    "STREAMER_PORT",
    "JUPYTER_PORT",
)

_between_questions = threading.Event()


def inherited_environment() -> dict[str, str]:
    return dict(os.environ)  # noqa: TID251 - docker and compose need PATH, HOME and their own


def free_ports(names: tuple[str, ...]) -> dict[str, int]:
    """Return one free port per name; all are held until the last is found, so they differ."""
    sockets = {name: socket.create_server(("127.0.0.1", 0)) for name in names}
    ports = {name: held.getsockname()[1] for name, held in sockets.items()}
    for held in sockets.values():
        held.close()
    return ports


class ContainerFleet:
    """The repository's compose file with ports of its own and a key that the test knows."""

    project = "test-of-camfleet"
    key = "key-of-the-container-test"

    def __init__(self, repository: Path, folder: Path, environment: Mapping[str, str]) -> None:
        self._environment = dict(environment)
        self.ports = free_ports(PORTS)
        overlay = folder / "overlay.yml"
        overlay.write_text(json.dumps(self._overlay()))
        files = ("-f", str(repository / "docker-compose.yml"), "-f", str(overlay))
        self._compose = (*_compose_command(environment), "-p", self.project, *files)

    def compose(self, *arguments: str, timeout_s: float = 900) -> str:
        return self._run(*self._compose, *arguments, timeout_s=timeout_s)

    def docker(self, *arguments: str, timeout_s: float = 60) -> str:
        return self._run("docker", *arguments, timeout_s=timeout_s)

    def run_in(self, service: str, *command: str) -> str:
        return self.docker("exec", self.container_of(service), *command)

    def container_of(self, service: str) -> str:
        found = self.containers(f"label=com.docker.compose.service={service}")
        assert len(found) == 1, f"{service}: {len(found)} containers"
        return found[0]

    def containers(self, *filters: str) -> list[str]:
        """Ids of this project's containers, stopped ones too."""
        chosen = (f"label=com.docker.compose.project={self.project}", *filters)
        arguments = [part for wanted in chosen for part in ("--filter", wanted)]
        return self.docker("ps", "--all", "--quiet", *arguments).split()

    def wait_until_healthy(self, timeout_s: float) -> None:
        try:
            wait_until(self._all_healthy, timeout_s, "all four services healthy")
        except AssertionError as error:
            logs = self.compose("logs", "--tail", "40")
            raise AssertionError(f"{error}\n{self._states()}\n{logs}") from error

    def image_sizes(self) -> str:
        """A line per service: the installed size, the base image included."""
        images = {
            s: self.docker("inspect", "-f", "{{.Image}}", self.container_of(s)) for s in SERVICES
        }
        sizes = {s: int(self.docker("inspect", "-f", "{{.Size}}", i)) for s, i in images.items()}
        return "\n".join(f"{service:<14} {size / 1e6:6.0f} MB" for service, size in sizes.items())

    def _all_healthy(self) -> bool:
        _between_questions.wait(1)  # each question starts a process
        return self._states().count("(healthy)") == len(SERVICES)

    def _states(self) -> str:
        chosen = f"label=com.docker.compose.project={self.project}"
        return self.docker("ps", "--all", "--filter", chosen, "--format", "{{.Names}} {{.Status}}")

    def _overlay(self) -> dict[str, object]:
        settings = {name: str(port) for name, port in self.ports.items()} | {
            "CAMFLEET_SERVER": f"127.0.0.1:{self.ports['GRPC_PORT']}",
            "CAMFLEET_CAPTURE": f"rtsp://127.0.0.1:{self.ports['RTSP_PORT']}",
            "CAMFLEET_CAPTURE_HTTP": f"http://127.0.0.1:{self.ports['CAPTURE_HTTP_PORT']}",
            "CAMFLEET_API_KEY": self.key,
        }
        services = {service: {"environment": settings} for service in SERVICES}
        return {"version": "2.4", "services": services}

    def _run(self, *command: str, timeout_s: float) -> str:
        done = subprocess.run(
            command,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        assert done.returncode == 0, (
            f"{' '.join(command)}:\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
        )
        return done.stdout.strip()


def _compose_command(environment: Mapping[str, str]) -> tuple[str, ...]:
    if shutil.which("docker-compose", path=environment.get("PATH")):
        return ("docker-compose",)
    return ("docker", "compose")
