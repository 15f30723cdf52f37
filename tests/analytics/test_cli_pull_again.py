"""`camfleet model pull` of what is there, damaged, or on its way already."""

import threading
from pathlib import Path

import pytest

from camfleet.catalog.pull import pull_model
from camfleet_contracts.settings import read_settings
from camfleet_contracts.volume import versions_of
from cli_runs import CommandLine
from fakes_upstream import Upstream
from pets_catalog import WEIGHTS, write_catalog


@pytest.fixture
def camfleet(pets_fleet: CommandLine) -> CommandLine:
    return pets_fleet


def test_two_pulls_at_once_bring_one_version(tmp_path: Path, upstream: Upstream) -> None:
    models = tmp_path / "models"
    write_catalog(models, upstream.url)
    settings = read_settings(models_dir=models, cache_dir=tmp_path / "cache")
    folders: list[Path] = []
    both_look = threading.Barrier(2)

    def pull() -> None:
        both_look.wait(10)
        folders.append(pull_model(settings, "pets", lambda *_: None).version_folder)

    threads = [threading.Thread(target=pull, name=f"pull-{number}") for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert folders == [models / "pets" / "1"] * 2
    assert list(versions_of(models / "pets")) == [1]


@pytest.mark.parametrize("content", [None, WEIGHTS[:-9]], ids=["deleted", "cut"])
def test_a_version_that_was_damaged_is_pulled_anew(
    camfleet: CommandLine, content: bytes | None
) -> None:
    camfleet.run("model", "pull", "pets")
    weights = camfleet.models / "pets" / "1" / "net.onnx"
    weights.unlink()
    if content:
        weights.write_bytes(content)
    assert "pets version 2 published" in camfleet.run("model", "pull", "pets").err
    assert (camfleet.models / "pets" / "2" / "net.onnx").read_bytes() == WEIGHTS


def test_a_pull_that_ended_before_it_was_served_is_served_by_the_next(
    camfleet: CommandLine,
) -> None:
    camfleet.run("model", "pull", "pets", "--no-serve")
    outcome = camfleet.run("model", "pull", "pets")
    assert "pets version 1 on the volume already, added to config.json" in outcome.err
