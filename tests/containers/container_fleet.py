"""A fleet in containers: one compose project on one engine, used by one test."""

import copy
import json
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path

from free_ports import free_ports
from waiting import wait_until

SERVICES = ("capture", "model-server", "analytics", "workbench")
CONFINED = ("capture", "model-server", "analytics")  # in the workbench people install packages
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


class ContainerFleet:
    """The repository's compose file with ports of its own and a key that the test knows."""

    project = "test-of-camfleet"
    key = "key-of-the-container-test"

    def __init__(self, repository: Path, folder: Path, environment: Mapping[str, str]) -> None:
        self.environment = dict(environment)
        self.ports = free_ports(PORTS)
        self._file = repository / "docker-compose.yml"
        overlay = folder / "overlay.yml"
        overlay.write_text(json.dumps(self._overlay()))
        self._compose = self._compose_of(self._file, overlay)

    def on_network_of_its_own(self, file: Path, ports: Mapping[str, int]) -> "ContainerFleet":
        """The same images by a file that publishes these ports, and the same key."""
        other = copy.copy(self)
        other.ports = dict(ports)
        key = file.with_name("key.yml")
        settings = {"environment": {"CAMFLEET_API_KEY": self.key}}
        services = dict.fromkeys(SERVICES, settings)
        key.write_text(json.dumps({"version": "2.4", "services": services}))
        other._compose = self._compose_of(file, key)
        return other

    def _compose_of(self, *files: Path) -> tuple[str, ...]:
        options = [part for file in files for part in ("-f", str(file))]
        folder = ("--project-directory", str(self._file.parent))
        return (*compose_command(self.environment), *folder, "-p", self.project, *options)

    def compose(self, *arguments: str, timeout_s: float = 900) -> str:
        return run_command(self.environment, *self._compose, *arguments, timeout_s=timeout_s)

    def build(self, mirror: str | None) -> None:
        """Build the images of the four services; `mirror` is where their models are taken from."""
        options = ("--build-arg", f"CAMFLEET_MIRROR={mirror}") if mirror else ()
        self.compose("build", *options, *SERVICES)

    def up(self) -> None:
        """Start the four services from images that are there."""
        self.compose("up", "--detach", "--no-build", *SERVICES)

    def docker(self, *arguments: str, timeout_s: float = 60) -> str:
        return run_command(self.environment, "docker", *arguments, timeout_s=timeout_s)

    def run_in(self, service: str, *command: str) -> str:
        return self.docker("exec", self.container_of(service), *command)

    def succeeds_in(self, service: str, *command: str) -> bool:
        asked = ("docker", "exec", self.container_of(service), *command)
        done = subprocess.run(asked, env=self.environment, capture_output=True, check=False)
        return done.returncode == 0

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

    def image_of(self, service: str) -> str:
        """Id of the image that was built for a service."""
        reference = f"reference={self.project}?{service}:latest"
        found = self.docker("images", "--quiet", "--no-trunc", "--filter", reference).split()
        assert len(set(found)) == 1, f"{service}: {len(set(found))} images"
        return found[0]

    def inspect(self, service: str, template: str) -> str:
        return self.docker("inspect", "--format", template, self.container_of(service))

    def kill(self, *services: str) -> None:
        """SIGKILL the services' processes, as the kernel or a power cut would.

        `docker kill` would count as stopped by hand, after which no container restarts.
        """
        pids = [int(self.inspect(service, "{{.State.Pid}}")) for service in services]
        for pid in pids:
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
            assert b"camfleet" in command, f"process {pid} is {command!r}"
        for pid in pids:
            os.kill(pid, signal.SIGKILL)

    def wait_until_restarted(self, service: str, pid: str, timeout_s: float) -> None:
        """Wait until a service that had this process has another one."""

        def is_restarted() -> bool:
            _between_questions.wait(0.2)
            return self.inspect(service, "{{.State.Pid}}") not in {"0", pid}

        wait_until(is_restarted, timeout_s, f"{service} has another process than {pid}")

    def wait_until_back(self, service: str, pid: str, timeout_s: float) -> None:
        """Wait until a service that had this process has another one and is healthy."""
        self.wait_until_restarted(service, pid, timeout_s)

        def is_healthy() -> bool:
            _between_questions.wait(0.3)
            return self.inspect(service, "{{.State.Health.Status}}") == "healthy"

        wait_until(is_healthy, timeout_s, f"{service} is healthy again")

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


def run_command(environment: Mapping[str, str], *command: str, timeout_s: float = 60) -> str:
    """Return what a command wrote to its output; fail with all of it when it failed."""
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=timeout_s, check=False
    )
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout.strip()


def compose_command(environment: Mapping[str, str]) -> tuple[str, ...]:
    if shutil.which("docker-compose", path=environment.get("PATH")):
        return ("docker-compose",)
    return ("docker", "compose")
