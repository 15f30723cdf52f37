import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HADOLINT = Path(sys.executable).parent / "hadolint"
DOCKERFILES = sorted(ROOT.glob("services/*/Dockerfile"))
# What old engines, engines without BuildKit, and balena do not read.
NEEDS_BUILDKIT = re.compile(r"^# *syntax=|<<-?\w+|--mount|--chmod|--link", re.MULTILINE)

each_dockerfile = pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.parent.name)


@each_dockerfile
def test_dockerfile_passes_hadolint(path: Path) -> None:
    checked = subprocess.run([HADOLINT, path], capture_output=True, text=True, check=False)

    assert checked.returncode == 0, checked.stdout


@each_dockerfile
def test_dockerfile_builds_without_buildkit(path: Path) -> None:
    assert NEEDS_BUILDKIT.search(path.read_text()) is None


@each_dockerfile
def test_image_starts_from_the_official_python_only(path: Path) -> None:
    bases = re.findall(r"^FROM (\S+)", path.read_text(), re.MULTILINE)

    assert set(bases) == {"python:3.11-slim-bookworm"}


@each_dockerfile
def test_image_runs_as_the_user_of_the_fleet_and_reports_its_health(path: Path) -> None:
    text = path.read_text()

    assert "\nUSER 10001:10001\n" in text
    assert "\nHEALTHCHECK " in text


@each_dockerfile
def test_image_is_started_without_a_shell_between(path: Path) -> None:
    start = re.findall(r"^(?:CMD|ENTRYPOINT) (.*)$", path.read_text(), re.MULTILINE)

    assert all(line.startswith("[") for line in start)


@each_dockerfile
def test_packages_of_others_are_installed_from_the_locked_hashes(path: Path) -> None:
    locked = f"requirements/{path.parent.name}.txt"
    text = path.read_text()

    assert f"COPY {locked} " in text
    assert text.count("--require-hashes") == 2
    assert text.count("--no-deps") == 4


def test_the_health_probe_loads_none_of_the_libraries_of_the_services() -> None:
    loaded = "import sys, camfleet_contracts.probe; print(*sys.modules)"
    listed = subprocess.run(
        [sys.executable, "-c", loaded], capture_output=True, text=True, check=True
    )

    assert {"pydantic", "numpy", "structlog"}.isdisjoint(listed.stdout.split())
