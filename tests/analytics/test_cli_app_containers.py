"""`camfleet app package|deploy`: what docker is asked, with a stand-in for the docker command."""

from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml

from camfleet.cli.app import image
from cli_runs import CommandLine
from fake_docker import FakeDocker


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeDocker:
    return FakeDocker(tmp_path, monkeypatch)


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "People Counter"
    folder.mkdir()
    (folder / "camfleet.app.json").write_text('{"scripts": {"start": "python app.py"}}')
    monkeypatch.chdir(folder)
    return folder


def compose_of(app: Path) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((app / "camfleet.compose.yml").read_text())
    service: dict[str, Any] = document["services"]["app"]
    return service


def test_package_builds_from_the_base_of_the_device(
    camfleet: CommandLine, app: Path, docker: FakeDocker
) -> None:
    assert camfleet.run("app", "package").code == 0
    *_, build = docker.asked("build")
    assert build.startswith("build --tag people-counter:latest --build-arg=CAMFLEET_HW=default")
    assert f"--build-arg=CAMFLEET_VERSION={version('camfleet')}" in build
    assert build.endswith(f"--file {app / 'Dockerfile'} {app}")
    assert (app / "var" / "models").is_dir()


def test_dockerfile_of_another_camfleet_is_said_before_anything_is_built(
    camfleet: CommandLine, app: Path, docker: FakeDocker
) -> None:
    (app / "Dockerfile").write_text("ARG CAMFLEET_HW\nFROM camfleet-app:0.0.9-${CAMFLEET_HW}\n")
    outcome = camfleet.run("app", "package")
    assert outcome.code == 1
    assert "builds FROM camfleet-app:0.0.9-${CAMFLEET_HW}; delete it and run" in outcome.err
    assert docker.asked("build") == []


def test_base_is_built_from_the_sources_of_the_checkout(
    camfleet: CommandLine, app: Path, docker: FakeDocker, repository: Path
) -> None:
    assert camfleet.run("app", "package", "--tag", "counter:1.0").code == 0
    server, base, image = docker.asked("build")
    assert f"--file {repository}/services/model_server/Dockerfile {repository}" in server
    assert f"--file {repository}/services/analytics/Dockerfile.app {repository}" in base
    assert "--tag counter:1.0" in image


def test_without_sources_the_base_must_be_there(
    camfleet: CommandLine, app: Path, docker: FakeDocker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image, "find_seed", lambda _: None)
    assert camfleet.run("app", "package").code == 0
    assert len(docker.asked("build")) == 1
    docker.answer("image inspect", 1, "No such image")
    outcome = camfleet.run("app", "package")
    assert (outcome.code, "is not here; build it where" in outcome.err) == (1, True)


def test_failed_build_is_said(camfleet: CommandLine, app: Path, docker: FakeDocker) -> None:
    docker.answer("build --tag people-counter", 1, "no space left on device")
    outcome = camfleet.run("app", "package")
    assert (outcome.code, "people-counter:latest could not be built" in outcome.err) == (1, True)


def test_dockerfile_of_another_product_is_named(
    camfleet: CommandLine, app: Path, docker: FakeDocker
) -> None:
    (app / "Dockerfile").write_text('ARG ALWAYSAI_HW="default"\nFROM alwaysai/edgeiq:x-2.9\n')
    outcome = camfleet.run("app", "package")
    assert (outcome.code, "delete it and run `camfleet app configure`" in outcome.err) == (1, True)
    assert not docker.asked("build")


@pytest.mark.parametrize("verb", [("package",), ("deploy", "--yes")], ids=lambda verb: verb[0])
def test_engine_that_does_not_answer_is_said(
    camfleet: CommandLine, app: Path, docker: FakeDocker, verb: tuple[str, ...]
) -> None:
    docker.answer("version", 1, "Cannot connect to the Docker daemon")
    outcome = camfleet.run("app", *verb)
    assert outcome.code == 1
    assert "no Docker Engine answers: Cannot connect to the Docker daemon; is it" in outcome.err


@pytest.mark.parametrize("verb", ["package", "deploy"])
def test_machine_without_docker_is_told_what_to_do_and_asked_nothing(
    camfleet: CommandLine, app: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    outcome = camfleet.run("app", verb)
    assert (outcome.code, "there is no docker command here; install" in outcome.err) == (1, True)
    assert "deploy People Counter" not in outcome.out + outcome.err


def test_deployed_application_is_locked_up_and_starts_with_the_machine(
    camfleet: CommandLine, app: Path, docker: FakeDocker
) -> None:
    camfleet.run("app", "configure", "--mode", "production", "--engine", "ssh://pi@10.0.0.7")
    outcome = camfleet.run("app", "deploy", "--yes")
    assert outcome.code == 0, outcome.err
    service = compose_of(app)
    assert (service["restart"], service["read_only"], service["cap_drop"]) == (
        "always",
        True,
        ["ALL"],
    )
    assert service["volumes"] == ["state:/state", "cache:/cache", "data:/app/var"]
    (up,) = [words for words in docker.asked("compose") if " up " in words]
    assert up.startswith("compose --project-name people-counter --file")
    assert docker.hosts() == {"ssh://pi@10.0.0.7"}


def test_development_mounts_the_folder(
    camfleet: CommandLine, app: Path, docker: FakeDocker
) -> None:
    assert camfleet.run("app", "deploy", "--yes").code == 0
    assert f"{app}:/app:ro" in compose_of(app)["volumes"]


@pytest.mark.parametrize(
    ("device", "wanted"),
    [
        ("jetson", {"runtime": "nvidia", "ipc": "host"}),
        ("intel-gpu", {"devices": ["/dev/dri:/dev/dri"]}),
        ("hailo", {"devices": ["/dev/hailo0:/dev/hailo0"]}),
        ("cuda", {"read_only": True}),
    ],
)
def test_each_device_gets_what_its_vendor_documents(
    camfleet: CommandLine,
    app: Path,
    docker: FakeDocker,
    monkeypatch: pytest.MonkeyPatch,
    device: str,
    wanted: dict[str, Any],
) -> None:
    monkeypatch.setattr(image, "find_seed", lambda _: None)  # the engine has the base
    camfleet.run("app", "configure", "--device", device, "--usb")
    assert camfleet.run("app", "deploy", "--yes").code == 0
    service = compose_of(app)
    assert {key: service[key] for key in wanted} == wanted
    assert "/dev:/dev" in service["volumes"]
    assert service["device_cgroup_rules"] == ["c 81:* rmw"]


def test_logs_and_stop_speak_to_what_was_deployed(
    camfleet: CommandLine, app: Path, docker: FakeDocker
) -> None:
    outcome = camfleet.run("app", "deploy", "--stop")
    assert (outcome.code, "is not deployed" in outcome.err) == (1, True)
    camfleet.run("app", "deploy", "--yes")
    assert camfleet.run("app", "deploy", "--logs").code == 0
    assert camfleet.run("app", "deploy", "--stop").code == 0
    said = docker.asked("compose")
    assert any(words.endswith("logs --follow --tail 100") for words in said)
    assert any(words.endswith("down") for words in said)


def test_file_of_somebody_elses_is_not_overwritten(
    camfleet: CommandLine, app: Path, docker: FakeDocker
) -> None:
    (app / "camfleet.compose.yml").write_text("services: {mine: {}}\n")
    outcome = camfleet.run("app", "deploy", "--yes")
    assert (outcome.code, "rename it" in outcome.err) == (1, True)


def test_target_file_that_is_broken_is_named_with_its_line(
    camfleet: CommandLine, app: Path, docker: FakeDocker
) -> None:
    (app / "camfleet.target.json").write_text('{\n"device": default}')
    outcome = camfleet.run("app", "deploy", "--yes")
    assert (outcome.code, "camfleet.target.json, line 2" in outcome.err) == (1, True)


def test_shell_in_a_container_needs_the_image(
    camfleet: CommandLine, app: Path, docker: FakeDocker
) -> None:
    docker.answer("image inspect", 1, "No such image")
    outcome = camfleet.run("app", "shell", "--container")
    assert (outcome.code, "`camfleet app package` builds it" in outcome.err) == (1, True)
