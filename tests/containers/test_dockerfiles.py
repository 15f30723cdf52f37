import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HADOLINT = Path(sys.executable).parent / "hadolint"
DOCKERFILES = sorted(ROOT.glob("services/*/Dockerfile"))
FLAVOURS = sorted(ROOT.glob("services/model_server/Dockerfile.*"))
# What old engines, engines without BuildKit, and balena do not read.
NEEDS_BUILDKIT = re.compile(r"^# *syntax=|<<-?\w+|--mount|--chmod|--link", re.MULTILINE)

each_dockerfile = pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.parent.name)
each_one_and_flavour = pytest.mark.parametrize(
    "path", DOCKERFILES + FLAVOURS, ids=lambda path: path.parent.name + path.suffix
)
each_flavour = pytest.mark.parametrize("path", FLAVOURS, ids=lambda path: path.suffix[1:])


@each_one_and_flavour
def test_dockerfile_passes_hadolint(path: Path) -> None:
    checked = subprocess.run([HADOLINT, path], capture_output=True, text=True, check=False)

    assert checked.returncode == 0, checked.stdout


@each_one_and_flavour
def test_dockerfile_builds_without_buildkit(path: Path) -> None:
    assert NEEDS_BUILDKIT.search(path.read_text()) is None


@each_dockerfile
def test_image_starts_from_the_official_python_only(path: Path) -> None:
    bases = re.findall(r"^FROM (\S+)", path.read_text(), re.MULTILINE)

    assert set(bases) == {"python:3.11-slim-bookworm"}


@each_one_and_flavour
def test_image_runs_as_the_user_of_the_fleet_and_reports_its_health(path: Path) -> None:
    text = path.read_text()

    assert "\nUSER 10001:10001\n" in text
    assert "\nHEALTHCHECK " in text


@each_one_and_flavour
def test_image_is_started_without_a_shell_between(path: Path) -> None:
    start = re.findall(r"^(?:CMD|ENTRYPOINT) (.*)$", path.read_text(), re.MULTILINE)

    assert all(line.startswith("[") for line in start)


@each_one_and_flavour
def test_packages_of_others_are_installed_from_the_locked_hashes(path: Path) -> None:
    text = path.read_text()
    lines = [line for line in text.splitlines() if re.search(r"pip (install|wheel) ", line)]
    of_others = [line for line in lines if "/wheels/" not in line and " ./proto" not in line]

    assert re.search(rf"^COPY requirements/{path.parent.name}.txt ", text, re.MULTILINE)
    assert all("--no-deps" in line for line in lines)
    assert all("--require-hashes" in line or "/vendor/" in line for line in of_others)


@each_one_and_flavour
def test_the_label_of_the_version_is_that_of_the_packages(path: Path) -> None:
    version = re.search(r"^ARG VERSION=(.+)$", path.read_text(), re.MULTILINE)

    assert version is not None
    assert f'\nversion = "{version[1]}"\n' in (ROOT / "pyproject.toml").read_text()


@each_flavour
def test_a_flavour_says_on_what_it_was_tried_and_what_brings_it_in(path: Path) -> None:
    head = path.read_text().partition("FROM ")[0]

    assert re.search(r"^# Tried: .*(NOT|not) ", head, re.MULTILINE)
    assert "\n# Use: " in head


@each_flavour
def test_a_flavour_differs_from_the_plain_image_in_its_device_only(path: Path) -> None:
    plain = path.with_suffix("").read_text().splitlines()
    flavour = set(path.read_text().splitlines())
    changed = [line for line in plain[1:] if line not in flavour]

    # Base image, packages, how they and the interpreter are named, and the title.
    assert len(changed) <= 12, changed


def test_the_health_probe_loads_none_of_the_libraries_of_the_services() -> None:
    loaded = "import sys, camfleet_server.health; print(*sys.modules)"
    listed = subprocess.run(
        [sys.executable, "-c", loaded], capture_output=True, text=True, check=True
    )

    assert {"pydantic", "numpy", "structlog"}.isdisjoint(listed.stdout.split())
