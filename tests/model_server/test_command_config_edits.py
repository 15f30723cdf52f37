"""`--add_to_config`, `--remove_from_config` and `--list_models`."""

import json
from pathlib import Path

import pytest

from camfleet_contracts.settings import FleetSettings
from camfleet_server.command.config_edits import run_config_edit
from camfleet_server.command.program import find_program
from camfleet_server.command.settings import read_server_settings


def run(*arguments: str, models_dir: Path = Path("/nowhere")) -> int:
    fleet = FleetSettings(models_dir=models_dir)
    settings = read_server_settings(arguments, fleet, find_program("ovms", fleet))
    assert settings.config_edit is not None
    return run_config_edit(settings.config_edit)


def entries(folder: Path) -> list[dict[str, object]]:
    document = json.loads((folder / "config.json").read_text())
    return [entry["config"] for entry in document["model_config_list"]]


def test_a_model_is_added_with_its_settings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "m" / "1").mkdir(parents=True)
    where = ["--add_to_config", str(tmp_path), "--model_name", "m"]
    assert run(*where, "--model_path", "m", "--shape", "auto", "--mean", "[1,2,3]") == 0
    assert entries(tmp_path) == [
        {"name": "m", "base_path": "m", "shape": "auto", "mean": "[1,2,3]"}
    ]
    assert capsys.readouterr() == (f"Config updated: {tmp_path / 'config.json'}\n", "")


def test_a_folder_that_is_not_there_yet_is_made_and_holds_the_file(tmp_path: Path) -> None:
    folder = tmp_path / "models"
    assert run("--add_to_config", str(folder), "--model_name", "m", "--model_path", "m") == 0
    assert entries(folder) == [{"name": "m", "base_path": "m"}]


def test_the_path_is_repository_and_name_where_none_is_given(tmp_path: Path) -> None:
    file = str(tmp_path / "config.json")
    assert run("--add_to_config", file, "--model_name", "a/b", "--model_repository_path", "/r") == 0
    assert run("--add_to_config", "--config_path", file, "--model_name", "c") == 0
    assert run("--add-to-config", "--model-name", "d", models_dir=tmp_path) == 0
    assert [entry["base_path"] for entry in entries(tmp_path)] == ["/r/a/b", "c", "d"]


def test_a_relative_repository_is_that_of_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    assert (
        run(
            "--add_to_config", str(tmp_path), "--model_name", "m", "--model_repository_path", "../r"
        )
        == 0
    )
    assert entries(tmp_path) == [{"name": "m", "base_path": str(tmp_path / "r" / "m")}]


def test_the_repository_may_come_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OVMS_MODEL_REPOSITORY_PATH", str(tmp_path))
    assert run("--add_to_config", "--model_name", "m") == 0
    assert entries(tmp_path) == [{"name": "m", "base_path": str(tmp_path / "m")}]


def test_a_model_without_versions_is_added_with_a_note(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--add_to_config", str(tmp_path), "--model_name", "m", "--model_path", "/no/m") == 0
    assert "note: /no/m holds no version folder yet" in capsys.readouterr().err


def test_a_model_is_removed(tmp_path: Path) -> None:
    assert run("--add_to_config", str(tmp_path), "--model_name", "m") == 0
    assert run("--remove_from_config", str(tmp_path), "--model_name", "m") == 0
    assert entries(tmp_path) == []


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--add_to_config", "{}", "--model_name", "there"], "has a model 'there' already"),
        (["--remove_from_config", "{}", "--model_name", "x"], "has no model 'x'"),
        (["--remove_from_config", "{}/x.json", "--model_name", "x"], "x.json does not exist"),
        (
            ["--add_to_config", "{}", "--model_name", "x", "--model_path", "../x"],
            "must not contain '..'",
        ),
        (
            ["--add_to_config", "{}", "--model_name", "x", "--model_path", "s3://b/x"],
            "cloud storage",
        ),
        (["--list_models", "--model_repository_path", "{}/none"], "is not a folder"),
    ],
    ids=["twice", "unknown", "no file", "dots", "cloud", "no repository"],
)
def test_what_cannot_be_done_is_told_and_changes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], reason: str
) -> None:
    assert run("--add_to_config", str(tmp_path), "--model_name", "there") == 0
    before = (tmp_path / "config.json").read_text()
    assert run(*(part.format(tmp_path) for part in arguments)) == 1
    assert reason in capsys.readouterr().out
    assert (tmp_path / "config.json").read_text() == before


def test_models_below_the_repository_are_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in ("b/1", "a/2", "user/deep/1", "empty", ".hidden/1"):
        (tmp_path / folder).mkdir(parents=True)
    assert run("--list_models", "--model_repository_path", str(tmp_path)) == 0
    heading, *names = capsys.readouterr().out.splitlines()
    assert heading == f"Available servables to serve from path: {tmp_path} are:"
    assert names == ["a", "b", "user/deep"]
