"""`camfleet model log` and `camfleet model rollback`."""

import json
from pathlib import Path

import pytest

from camfleet_contracts.serving_config import put_model, remove_model
from cli_runs import CommandLine


@pytest.fixture
def config(camfleet: CommandLine) -> Path:
    path = camfleet.models / "config.json"
    put_model(path, {"name": "cat", "base_path": "cat"})
    remove_model(path, "cat")
    return path


def test_log_lists_what_changed(camfleet: CommandLine, config: Path) -> None:
    outcome = camfleet.run("model", "log")
    assert outcome.code == 0
    assert outcome.out.index("removed cat") < outcome.out.index("added cat")
    newest = json.loads(camfleet.run("model", "log", "--json").out)[0]
    assert (newest["number"], newest["removed"]) == (2, ["cat"])
    assert config.is_file()


def test_rollback_brings_a_removed_model_back(camfleet: CommandLine, config: Path) -> None:
    outcome = camfleet.run("model", "rollback")
    assert outcome.code == 0
    assert "as it was before change 2 (removed cat)" in outcome.out + outcome.err
    assert '"cat"' in config.read_text()
    again = camfleet.run("model", "rollback", "2")
    assert "nothing was changed" in again.out + again.err


def test_unknown_change_is_one_line_with_the_way_out(camfleet: CommandLine, config: Path) -> None:
    outcome = camfleet.run("model", "rollback", "9")
    assert outcome.code == 1
    assert "no change 9; the history has 1 to 2; `camfleet model log` lists them" in outcome.err
    assert config.is_file()


def test_volume_without_history_says_so(camfleet: CommandLine) -> None:
    outcome = camfleet.run("model", "log")
    assert outcome.code == 0
    assert "no history yet" in outcome.out + outcome.err
    assert camfleet.run("model", "rollback").code == 1
