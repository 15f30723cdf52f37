"""`camfleet app init|configure|install|models`: an application's folder."""

import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from camfleet.cli.app import model_verbs, verbs
from camfleet_contracts.volume import versions_of
from cli_runs import CommandLine
from fakes_upstream import Upstream
from pets_catalog import serving_pets, write_catalog


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with serving_pets() as server:
        yield server


@pytest.fixture
def app(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, camfleet: CommandLine, upstream: Upstream
) -> Path:
    """An application with a catalogue and a volume of its own, and no fleet around it."""
    for name in ("MODELS_DIR", "CAMFLEET_STATE", "CAMFLEET_CACHE"):
        monkeypatch.delenv(name)
    folder = tmp_path / "counter"
    folder.mkdir()
    write_file(folder, models={"pets": 1})
    write_catalog(folder / "var" / "models", upstream.url)
    monkeypatch.chdir(folder)
    return folder


def write_file(folder: Path, name: str = "camfleet.app.json", **fields: Any) -> None:
    document = {"scripts": {"start": "python app.py"}, "kept": ["as", "it", "is"], **fields}
    (folder / name).write_text(json.dumps(document))


def file_of(folder: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / "camfleet.app.json").read_text())
    return document


def test_init_makes_files_that_python_and_json_can_read(
    camfleet: CommandLine, tmp_path: Path
) -> None:
    folder = tmp_path / "my app"
    outcome = camfleet.run("app", "init", str(folder))
    assert outcome.code == 0, outcome.err
    assert f"cd '{folder}' && camfleet app install" in outcome.err
    code = (folder / "app.py").read_text()
    compile(code, "app.py", "exec")
    assert 20 <= len(code.splitlines()) <= 40
    assert file_of(folder)["scripts"] == {"start": "python app.py"}
    assert "{{" not in (folder / "Dockerfile").read_text()
    assert {path.name for path in folder.iterdir()} >= {
        "requirements.txt",
        "packages.txt",
        ".gitignore",
        ".dockerignore",
        "tests",
    }


def test_init_overwrites_nothing(camfleet: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("mine")
    outcome = camfleet.run("app", "init", str(tmp_path))
    assert (outcome.code, "has app.py already" in outcome.err) == (1, True)
    assert (tmp_path / "app.py").read_text() == "mine"
    assert not (tmp_path / "camfleet.app.json").exists()


def test_configure_keeps_what_is_not_given_and_mends_the_dockerfile(
    camfleet: CommandLine, app: Path
) -> None:
    assert camfleet.run("app", "configure", "--device", "jetson", "--usb").code == 0
    (app / "Dockerfile").unlink()
    outcome = camfleet.run(
        "app", "configure", "--mode", "production", "--engine", "ssh://pi@10.0.0.7"
    )
    assert "Dockerfile was missing and is made" in outcome.err
    assert (
        "FROM camfleet-app:${CAMFLEET_VERSION}-${CAMFLEET_HW}" in (app / "Dockerfile").read_text()
    )
    assert json.loads((app / "camfleet.target.json").read_text()) == {
        "device": "jetson",
        "mode": "production",
        "engine": "ssh://pi@10.0.0.7",
        "usb": True,
    }


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--device", "abacus"], "device 'abacus': use one of default, intel-gpu"),
        (["--mode", "test"], "mode 'test': use one of development, production"),
        (["--engine", "pi@10.0.0.7"], "write ssh://user@host"),
        (["--engine", "ssh://pi@10.0.0.7"], "use --mode production"),
    ],
)
def test_targets_that_cannot_be_are_refused(
    camfleet: CommandLine, app: Path, options: list[str], reason: str
) -> None:
    outcome = camfleet.run("app", "configure", *options)
    assert (outcome.code, reason in outcome.err) == (1, True), outcome.err
    assert not (app / "camfleet.target.json").exists()


def test_file_that_is_no_json_is_named_with_its_line(camfleet: CommandLine, app: Path) -> None:
    (app / "camfleet.app.json").write_text('{\n  "scripts": {"start": "x"},\n  "models": {,}\n}')
    outcome = camfleet.run("app", "start")
    assert outcome.code == 1
    assert f"{app / 'camfleet.app.json'}, line 3, column 14: Expecting property" in outcome.err


def test_folder_that_is_no_application_says_what_makes_one(
    camfleet: CommandLine, tmp_path: Path
) -> None:
    outcome = camfleet.run("app", "install", "--app", str(tmp_path))
    assert (outcome.code, "`camfleet app init` makes one" in outcome.err) == (1, True)


def test_install_brings_the_models_of_an_alwaysai_file_into_var(
    camfleet: CommandLine, app: Path
) -> None:
    (app / "camfleet.app.json").unlink()
    write_file(app, "alwaysai.app.json", models={"vendor/animals": 1})
    outcome = camfleet.run("app", "install")
    assert outcome.code == 0, outcome.err
    assert list(versions_of(app / "var" / "models" / "vendor.animals")) == [1]
    assert not (app / ".venv").exists()


def test_models_that_cannot_be_had_are_named(camfleet: CommandLine, app: Path) -> None:
    write_file(app, models={"me/nowhere": 1})
    outcome = camfleet.run("app", "install")
    assert (outcome.code, "me/nowhere cannot be had" in outcome.err) == (1, True)


def test_models_are_added_shown_and_removed(camfleet: CommandLine, app: Path) -> None:
    assert "pulled as version 1" in camfleet.run("app", "models", "add", "vendor/animals").err
    assert file_of(app)["models"] == {"pets": 1, "vendor/animals": 1}
    assert file_of(app)["kept"] == ["as", "it", "is"]
    shown = json.loads(camfleet.run("app", "models", "show", "--json").out)
    assert [(row["id"], row["here"]) for row in shown] == [("pets", []), ("vendor/animals", [1])]
    assert "camfleet app models sync" in camfleet.run("app", "models", "show").out
    assert camfleet.run("app", "models", "remove", "vendor/animals").code == 0
    assert file_of(app)["models"] == {"pets": 1}
    assert not (app / "var" / "models" / "vendor.animals").exists()


def test_unknown_model_is_neither_added_nor_removed(camfleet: CommandLine, app: Path) -> None:
    before = (app / "camfleet.app.json").read_text()
    added = camfleet.run("app", "models", "add", "pet")
    assert (added.code, "did you mean pets" in added.err) == (1, True)
    removed = camfleet.run("app", "models", "remove", "birds")
    assert (removed.code, "it names pets" in removed.err) == (1, True)
    assert (app / "camfleet.app.json").read_text() == before


def test_clean_install_begins_anew(camfleet: CommandLine, app: Path, upstream: Upstream) -> None:
    write_file(app, models={})
    (app / ".venv").mkdir()
    (app / "var" / "models" / "old").mkdir()
    assert camfleet.run("app", "install", "--clean").code == 0
    assert not (app / ".venv").exists()
    assert not (app / "var" / "models").exists()


def test_python_packages_go_into_an_environment_that_sees_camfleet(
    camfleet: CommandLine, app: Path
) -> None:
    save_wheel(app / "my_own-1-py3-none-any.whl")
    (app / "requirements.txt").write_text("# mine\n./my_own-1-py3-none-any.whl\n")
    write_file(app, models={})
    outcome = camfleet.run("app", "install")
    assert outcome.code == 0, outcome.err
    python = app / ".venv" / "bin" / "python"
    question = "import camfleet, my_own; print(my_own.__name__, camfleet.__version__)"
    done = subprocess.run([python, "-c", question], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("my_own ")


def test_python_packages_that_cannot_be_had_are_said(
    camfleet: CommandLine, app: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (app / "requirements.txt").write_text("nothing-of-this-name\n")
    (app / ".venv" / "bin").mkdir(parents=True)
    (app / ".venv" / "bin" / "python").write_text("")
    (app / "pip").write_text("#!/bin/sh\necho 'ERROR: no such package' >&2\nexit 1\n")
    (app / "pip").chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(app / "pip"))
    write_file(app, models={})
    outcome = camfleet.run("app", "install")
    assert (outcome.code, "pip failed: ERROR: no such package" in outcome.err) == (1, True)


def test_debian_packages_that_are_missing_are_installed(
    camfleet: CommandLine, app: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_file(app, models={})
    (app / "packages.txt").write_text("# tools\nthere  # already\nmissing\n")
    programs = tmp_path / "programs"
    programs.mkdir()
    for name, text in {
        "dpkg-query": 'case "$*" in *there) printf installed;; esac',
        "apt-get": f'echo "$@" >> {tmp_path}/asked',
        "sudo": 'exec "$@"',
    }.items():
        (programs / name).write_text(f"#!/bin/sh\n{text}\n")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    assert camfleet.run("app", "install").code == 0
    assert (tmp_path / "asked").read_text() == "install --yes --no-install-recommends missing\n"


def test_every_verb_teaches_with_an_example() -> None:
    groups = {"app": verbs.app, "app models": model_verbs.app}
    for group, verb in ((g, v) for g, typed in groups.items() for v in typed.registered_commands):
        assert verb.callback is not None
        name = verb.name or verb.callback.__name__
        assert f"camfleet {group} {name}" in (verb.callback.__doc__ or ""), name


def test_new_application_passes_its_own_test(camfleet: CommandLine, tmp_path: Path) -> None:
    assert camfleet.run("app", "init", str(tmp_path)).code == 0
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "1 passed" in done.stdout, done.stdout


def save_wheel(path: Path) -> None:
    """A package of one empty module, as pip takes it."""
    information = {
        "METADATA": "Metadata-Version: 2.1\nName: my-own\nVersion: 1\n",
        "WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "RECORD": "",
    }
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("my_own.py", "")
        for name, text in information.items():
            wheel.writestr(f"my_own-1.dist-info/{name}", text)
