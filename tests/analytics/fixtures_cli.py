"""The command with folders of its own, and a model to give it."""

from pathlib import Path

import pytest

from cli_runs import CommandLine
from model_volume import save_adder


@pytest.fixture
def camfleet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> CommandLine:
    return CommandLine(tmp_path, monkeypatch, capsys)


@pytest.fixture
def adder_folder(tmp_path: Path) -> Path:
    save_adder(tmp_path / "adder", 1)
    return tmp_path / "adder"
