"""The docker command: the one place where an application meets a Docker Engine."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from camfleet.cli.errors import CommandError
from camfleet.cli.root_commands import last_line
from camfleet_contracts.settings import process_environment

_ABSENT = (
    "there is no docker command here; install Docker Engine (docs.docker.com/engine/install), or "
    "run the application without a container: camfleet app start"
)


class Docker:
    """An engine that answers, and the command that speaks to it."""

    def __init__(self, engine: str = "") -> None:
        """Ask whether it answers.

        Args:
            engine: an address as of DOCKER_HOST; empty is the default one.

        Raises:
            CommandError: there is no docker command, or no engine that answers it.
        """
        self._environment = process_environment()
        if engine:
            self._environment["DOCKER_HOST"] = engine
        if shutil.which("docker") is None:
            raise CommandError(_ABSENT)
        asked = self.ask("version", "--format", "{{.Server.Version}}")
        if asked.returncode:
            raise CommandError(
                f"no Docker Engine answers{f' at {engine}' if engine else ''}: "
                f"{last_line(asked.stderr)}; is it started (systemctl start docker), and may you "
                "use it (group docker)?"
            )

    def ask(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run it and return what it said."""
        return subprocess.run(
            ["docker", *arguments],
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def has_image(self, tag: str) -> bool:
        """Whether the engine has an image of this name."""
        return self.ask("image", "inspect", "--format", "{{.Id}}", tag).returncode == 0

    def build(self, tag: str, context: Path, dockerfile: Path, **arguments: str) -> None:
        """Build an image; its output goes to the terminal.

        Raises:
            CommandError: it failed.
        """
        given = [f"--build-arg={name}={value}" for name, value in arguments.items()]
        place = ["--file", str(dockerfile), str(context)]
        if self._show("docker", "build", "--tag", tag, *given, *place):
            raise CommandError(f"image {tag} could not be built; its last lines say why")

    def compose(self, file: Path, project: str, *arguments: str) -> int:
        """Run docker compose in the terminal; its exit code."""
        named = ["--project-name", project, "--file", str(file)]
        return self._show(*self.find_compose(), *named, *arguments)

    def run(self, *arguments: str) -> int:
        """`docker run` in the terminal; its exit code."""
        return self._show("docker", "run", *arguments)

    def find_compose(self) -> Sequence[str]:
        """The command of docker compose, of whatever age.

        Raises:
            CommandError: there is none.
        """
        if self.ask("compose", "version").returncode == 0:
            return ("docker", "compose")
        if shutil.which("docker-compose"):
            return ("docker-compose",)
        raise CommandError("docker has no compose here; install docker-compose-plugin")

    def _show(self, *command: str) -> int:
        return subprocess.run(command, env=self._environment, check=False).returncode
