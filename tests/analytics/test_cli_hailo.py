"""`camfleet hailo` with real Debian packages and a stand-in for apt-get. Not run on hardware."""

import shutil
import subprocess
from pathlib import Path

import pytest

from camfleet.cli import hailo_driver
from cli_runs import CommandLine

pytestmark = pytest.mark.skipif(
    shutil.which("dpkg-deb") is None, reason="needs Debian's dpkg-deb to make packages"
)
VERB = ("hailo", "install-pcie-driver")


def package(folder: Path, name: str) -> Path:
    control = folder / name / "DEBIAN" / "control"
    control.parent.mkdir(parents=True)
    control.write_text(
        f"Package: {name}\nVersion: 4.23.0\nArchitecture: all\nMaintainer: t <t@t.example>\n"
        "Description: test\n"
    )
    made = folder / f"{name}_4.23.0_all.deb"
    command = ["dpkg-deb", "--build", str(folder / name), str(made)]
    subprocess.run(command, check=True, capture_output=True)
    return made


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of programs in front of PATH, with an apt-get that notes what it is asked."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("apt-get", "sudo"):
        run = 'exec "$@"' if name == "sudo" else f'echo "$@" >> {tmp_path}/asked'
        (programs / name).write_text(f"#!/bin/sh\n{run}\n")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    monkeypatch.setattr(hailo_driver, "MODULE", tmp_path / "module")
    monkeypatch.setattr(hailo_driver, "DEVICES", tmp_path / "dev")
    (tmp_path / "dev").mkdir()
    return tmp_path


@pytest.fixture
def camfleet(
    machine: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> CommandLine:
    return CommandLine(machine / "fleet", monkeypatch, capsys)


def test_packages_are_given_to_apt_by_their_paths(camfleet: CommandLine, machine: Path) -> None:
    driver, library = package(machine, "hailort-pcie-driver"), package(machine, "hailort")
    outcome = camfleet.run(*VERB, str(driver), str(library))
    assert outcome.code == 0, outcome.err
    assert (machine / "asked").read_text() == f"install --yes {driver} {library}\n"
    assert "restart the machine" in outcome.err


@pytest.mark.parametrize(
    ("module", "node", "said"),
    [(True, False, "finds no card"), (True, True, "the driver works: hailo0")],
)
def test_what_can_be_seen_of_the_driver_is_said(
    camfleet: CommandLine, machine: Path, module: bool, node: bool, said: str
) -> None:
    if module:
        (machine / "module").mkdir()
    if node:
        (machine / "dev" / "hailo0").write_text("")
    outcome = camfleet.run(*VERB, str(package(machine, "hailort-pcie-driver")))
    assert said in outcome.err


def test_wrong_files_are_named_and_apt_is_not_asked(camfleet: CommandLine, machine: Path) -> None:
    (machine / "some.deb").write_text("no package")
    for argument, reason in (
        (machine / "none.deb", "does not exist"),
        (machine / "some.deb", "is not a Debian package"),
        (package(machine, "hailort"), "is the package hailort-pcie-driver"),
    ):
        outcome = camfleet.run(*VERB, str(argument))
        assert (outcome.code, reason in outcome.err) == (1, True), outcome.err
    assert not (machine / "asked").exists()


def test_installation_that_fails_says_why(camfleet: CommandLine, machine: Path) -> None:
    apt = machine / "programs" / "apt-get"
    apt.write_text("#!/bin/sh\necho 'E: no kernel headers' >&2\nexit 100\n")
    outcome = camfleet.run(*VERB, str(package(machine, "hailort-pcie-driver")))
    assert (outcome.code, "apt-get install failed: E: no kernel headers" in outcome.err) == (
        1,
        True,
    )


def test_driver_that_is_there_is_removed(camfleet: CommandLine, machine: Path) -> None:
    outcome = camfleet.run("hailo", "uninstall-pcie-driver")
    assert (outcome.code, "is not installed" in outcome.err) == (1, True)
    query = machine / "programs" / "dpkg-query"
    query.write_text("#!/bin/sh\nprintf installed\n")
    query.chmod(0o755)
    assert camfleet.run("hailo", "uninstall-pcie-driver").code == 0
    assert (machine / "asked").read_text() == "remove --yes hailort-pcie-driver\n"
