"""config.json as it is edited while the server runs."""

import json
import logging
import os
from pathlib import Path
from traceback import extract_tb

import pytest

from camfleet_contracts.files import locked
from camfleet_contracts.serving_config import (
    BadServingConfig,
    changes_of,
    put_model,
    roll_back,
)
from camfleet_server.reload.config_source import ConfigFile

EMPTY = json.dumps({"model_config_list": []})
OTHER = json.dumps({"model_config_list": [], "monitoring": {"metrics": {"enable": True}}})


class Clock:
    """Time that only tests move."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config.json"


def test_a_pipe_in_the_place_of_the_file_is_told_and_not_waited_for(path: Path) -> None:
    os.mkfifo(path)
    with pytest.raises(BadServingConfig, match="It is not a regular file"):
        ConfigFile(path).read()


def test_half_written_file_is_not_believed_at_once(path: Path) -> None:
    clock = Clock()
    source = ConfigFile(path, clock)
    path.write_text(EMPTY)
    config = source.read()
    path.write_text('{"model_config')
    assert source.read() is config
    assert source.is_settling
    clock.now = 0.3
    with pytest.raises(BadServingConfig, match=r"config\.json:1"):
        source.read()
    path.write_text('{"model_config_list": [\n{')
    with pytest.raises(BadServingConfig, match=r"config\.json:2"):
        source.read()


def test_file_that_is_bad_from_the_start_is_told_at_once(path: Path) -> None:
    with pytest.raises(BadServingConfig, match="No such file"):
        ConfigFile(path, Clock()).read()


def test_unchanged_file_gives_the_same_config(path: Path) -> None:
    path.write_text(EMPTY)
    source = ConfigFile(path, Clock())
    assert source.read() is source.read()


def test_strict_reading_refuses_what_ovms_refuses(path: Path) -> None:
    entry = {"name": "a", "base_path": "a", "mean": 1}
    path.write_text(json.dumps({"model_config_list": [{"config": entry}]}))
    assert ConfigFile(path).read().models
    with pytest.raises(BadServingConfig, match=r"config\.mean: its schema does not know"):
        ConfigFile(path, strict=True).read()


def _depth_of_fault(source: ConfigFile) -> int:
    with pytest.raises(BadServingConfig) as told:
        source.read()
    return len(extract_tb(told.value.__traceback__))


def test_a_fault_that_is_told_at_every_pass_does_not_grow(path: Path) -> None:
    path.write_text("{")
    source = ConfigFile(path, Clock())
    depth = _depth_of_fault(source)
    assert _depth_of_fault(source) == depth


def test_every_change_by_hand_can_be_taken_back(path: Path) -> None:
    source = ConfigFile(path, Clock())
    for text in (EMPTY, OTHER, EMPTY, OTHER):
        path.write_text(text)
        source.read()
    assert len(changes_of(path)) == 3
    roll_back(path)
    assert path.read_text() == EMPTY


def test_a_change_by_command_is_kept_once(path: Path) -> None:
    path.write_text(EMPTY)
    source = ConfigFile(path, Clock())
    source.read()
    put_model(path, {"name": "a", "base_path": "a"})
    source.read()
    assert len(changes_of(path)) == 1


def test_a_change_by_a_command_that_still_holds_the_lock_is_no_word_of_the_log(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path.write_text(EMPTY)
    source = ConfigFile(path, Clock())
    source.read()
    with caplog.at_level(logging.INFO), locked(path):
        path.write_text(OTHER)
        source.read()
    assert not caplog.records


def test_what_a_broken_edit_replaced_is_one_roll_back_away(path: Path) -> None:
    source = ConfigFile(path, Clock())
    for text in (EMPTY, OTHER, '{"model_config'):
        path.write_text(text)
        source.read()
    roll_back(path)
    assert path.read_text() == OTHER


def test_a_file_that_was_half_written_is_one_change(path: Path) -> None:
    source = ConfigFile(path, Clock())
    for text in (EMPTY, OTHER[:9], OTHER):
        path.write_text(text)
        source.read()
    assert len(changes_of(path)) == 1
