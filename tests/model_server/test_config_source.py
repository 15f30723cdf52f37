"""config.json as it is edited while the server runs."""

import json
from pathlib import Path

import pytest

from camfleet_contracts.serving_config import BadServingConfig
from camfleet_server.reload.config_source import ConfigFile

EMPTY = json.dumps({"model_config_list": []})


class Clock:
    """Time that only tests move."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config.json"


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
