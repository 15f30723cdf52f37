"""A host of model files, and `camfleet` with little patience between tries to fetch them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from addressed_models import GRAPH, WEIGHTS
from camfleet.catalog import transfer
from cli_runs import CommandLine
from fakes_upstream import Upstream, serving


@pytest.fixture
def model_host() -> Iterator[Upstream]:
    with serving() as host:
        host.files = {"/pets.onnx": WEIGHTS, "/net.xml": GRAPH, "/net.bin": WEIGHTS}
        yield host


@pytest.fixture
def puller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> CommandLine:
    monkeypatch.setattr(transfer, "_BACK_OFF_S", 0.01)
    return CommandLine(tmp_path, monkeypatch, capsys)
