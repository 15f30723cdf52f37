"""`volumes.sh save` and `load` on the volumes of a project as small as can be."""

import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from container_fleet import compose_command

pytestmark = pytest.mark.containers

PROJECT = """
version: "2.4"
volumes: {state: {}, secrets: {}}
services:
  keeper:
    image: debian:bookworm-slim
    command: ["sleep", "infinity"]
    stop_signal: SIGKILL
    volumes: ["state:/state", "secrets:/secrets"]
"""


class Keeper:
    """A running project and the script on it."""

    def __init__(self, script: Path, file: Path, environment: dict[str, str]) -> None:
        self.project = f"volumes-{uuid.uuid4().hex[:8]}"
        self._compose = (*compose_command(environment), "-f", str(file))
        self._script = script
        settings = {"PROJECT": self.project, "COMPOSE": " ".join(self._compose)}
        self._environment = environment | settings

    def compose(self, *arguments: str) -> str:
        return self._run(*self._compose, "-p", self.project, *arguments).stdout

    def sh(self, command: str) -> str:
        return self.compose("exec", "-T", "keeper", "sh", "-c", command).strip()

    def volumes(self, verb: str, folder: Path) -> subprocess.CompletedProcess[str]:
        return self._run(str(self._script), verb, str(folder), must_work=False)

    def _run(self, *command: str, must_work: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            command, env=self._environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0 or not must_work, done.stderr
        return done


@pytest.fixture
def keeper(
    repository: Path, tmp_path: Path, engine_environment: dict[str, str]
) -> Iterator[Keeper]:
    file = tmp_path / "project.yml"
    file.write_text(PROJECT)
    keeper = Keeper(repository / "tools/deploy/volumes.sh", file, engine_environment)
    keeper.compose("up", "--detach")
    yield keeper
    keeper.compose("down", "--volumes")


def test_what_was_saved_comes_back_with_owner_and_mode_and_nothing_else(
    keeper: Keeper, tmp_path: Path
) -> None:
    keeper.sh("echo one > /state/keys; chown 10001:10001 /state/keys; chmod 600 /state/keys")
    saved = keeper.volumes("save", tmp_path / "saved")
    assert saved.returncode == 0, saved.stderr
    keeper.sh("rm /state/keys; echo two > /state/later; echo three > /secrets/later")

    loaded = keeper.volumes("load", tmp_path / "saved")

    assert loaded.returncode == 0, loaded.stderr
    assert keeper.sh("stat -c '%n %u %a' /state/* /secrets/* 2>/dev/null; cat /state/keys") == (
        "/state/keys 10001 600\none"
    )


def test_only_a_fleet_that_ran_is_started_after_it_was_saved(
    keeper: Keeper, tmp_path: Path
) -> None:
    keeper.volumes("save", tmp_path / "running")
    running = keeper.compose("ps", "--services", "--filter", "status=running").strip()
    keeper.compose("stop")

    saved = keeper.volumes("save", tmp_path / "stopped")

    assert saved.returncode == 0, saved.stderr
    assert running == "keeper"
    assert not keeper.compose("ps", "--services", "--filter", "status=running").strip()


def test_a_damaged_file_is_refused_before_anything_is_changed(
    keeper: Keeper, tmp_path: Path
) -> None:
    keeper.sh("echo one > /state/keys")
    keeper.volumes("save", tmp_path / "saved")
    (tmp_path / "saved" / "state.tar.gz").write_bytes(b"cut")

    loaded = keeper.volumes("load", tmp_path / "saved")

    assert loaded.returncode == 1
    assert "is damaged; nothing was changed" in loaded.stderr
    assert keeper.sh("cat /state/keys") == "one"


def test_a_project_without_volumes_is_named(keeper: Keeper, tmp_path: Path) -> None:
    keeper.compose("down", "--volumes")

    saved = keeper.volumes("save", tmp_path / "saved")
    keeper.compose("up", "--detach")

    assert saved.returncode == 1
    assert f"no volume of project {keeper.project}" in saved.stderr
