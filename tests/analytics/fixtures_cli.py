"""The command with folders of its own."""

from pathlib import Path

import pytest

from cli_runs import CommandLine


@pytest.fixture
def camfleet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> CommandLine:
    return CommandLine(tmp_path, monkeypatch, capsys)
