"""A fleet whose catalogue has the pets model, and the server its files come from."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cli_runs import CommandLine
from fakes_upstream import Upstream
from pets_catalog import serving_pets, write_catalog


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with serving_pets() as server:
        yield server


@pytest.fixture
def pets_fleet(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    upstream: Upstream,
) -> CommandLine:
    command_line = CommandLine(tmp_path, monkeypatch, capsys)
    write_catalog(command_line.models, upstream.url)
    return command_line
