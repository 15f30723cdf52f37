"""`camfleet model sync`: what an application names is on the volume and served."""

import json
from pathlib import Path
from typing import Any

import pytest

from camfleet_contracts.serving_config import read_serving_config
from camfleet_contracts.volume import publish_version, versions_of
from cli_runs import CommandLine
from fakes_upstream import Upstream
from model_volume import save_adder
from pets_catalog import write_catalog


@pytest.fixture
def camfleet(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    upstream: Upstream,
) -> CommandLine:
    command_line = CommandLine(tmp_path / "fleet", monkeypatch, capsys)
    write_catalog(command_line.models, upstream.url)
    return command_line


def application(folder: Path, models: Any, file: str = "alwaysai.app.json") -> Path:
    folder.mkdir()
    (folder / file).write_text(
        json.dumps({"scripts": {"start": "python app.py"}, "models": models})
    )
    return folder


def served(camfleet: CommandLine) -> set[str]:
    config = read_serving_config(camfleet.models / "config.json")
    return {model.name for model in config.models}


def test_models_come_from_volume_application_and_catalogue(
    camfleet: CommandLine, tmp_path: Path
) -> None:
    def fill(folder: Path) -> None:
        save_adder(folder, 1)

    publish_version(camfleet.models, "me/there", 4, fill)
    app = application(
        tmp_path / "app", {"me/there": 4, "me/local": 7, "vendor/animals": 1, "pets": None}
    )
    save_adder(app / "models" / "me" / "local", 2)
    outcome = camfleet.run("model", "sync", str(app))
    assert outcome.code == 0, outcome.err
    rows = {line.split()[0]: line for line in outcome.out.splitlines()}
    assert "on the volume, added to config.json" in rows["me/there"]
    assert "published from the application" in rows["me/local"]
    assert "pulled as version 1, added" in rows["vendor/animals"]
    assert list(versions_of(camfleet.models / "me.local")) == [7]
    assert served(camfleet) >= {"me.there", "me.local", "vendor.animals", "pets"}
    assert "on the volume, served" in camfleet.run("model", "sync", str(app)).out


def test_what_cannot_be_had_is_named_and_the_rest_is_there(
    camfleet: CommandLine, tmp_path: Path
) -> None:
    app = application(tmp_path / "app", {"me/nowhere": 1, "pets": 9}, "camfleet.app.json")
    outcome = camfleet.run("model", "sync", str(app))
    assert outcome.code == 1
    assert "me/nowhere cannot be had" in outcome.err
    assert "version 9 was asked for" in outcome.out
    assert "pets" in served(camfleet)


@pytest.mark.parametrize("models", [["pets"], {"pets": "1"}, {"pets": 0}, {"pets": True}, "pets"])
def test_files_that_are_not_as_they_must_be_are_refused(
    camfleet: CommandLine, tmp_path: Path, models: Any
) -> None:
    app = application(tmp_path / "app", models)
    outcome = camfleet.run("model", "sync", str(app))
    assert (outcome.code, "must map ids to version numbers" in outcome.err) == (1, True)


def test_folder_without_an_application_is_named(camfleet: CommandLine, tmp_path: Path) -> None:
    outcome = camfleet.run("model", "sync", str(tmp_path / "nothing"))
    assert outcome.code == 1
    assert outcome.err.startswith(f"error: {tmp_path / 'nothing'} is not an application")
