from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
import typer

from camfleet.cli import application
from cli_runs import CommandLine

extra = typer.Typer(help="A group of another package.")


@extra.command()
def install() -> None:
    """Does it."""
    typer.echo("installed")


@extra.command()
def uninstall() -> None:
    """Undoes it."""


def convert(model: str) -> None:
    """Turns a model into another format."""
    typer.echo(f"converted {model}")


def entry(name: str, target: str) -> EntryPoint:
    return EntryPoint(name, f"test_cli_plugins:{target}", application.PLUGINS)


@pytest.fixture
def camfleet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> CommandLine:
    points = [
        entry("model.convert", "convert"),
        entry("hailo", "extra"),
        entry("broken", "nothing"),
    ]
    monkeypatch.setattr(application, "entry_points", lambda group: points)
    monkeypatch.setattr(EntryPoint, "load", _load_from_here)
    return CommandLine(tmp_path, monkeypatch, capsys)


def _load_from_here(point: EntryPoint) -> object:
    return globals()[point.attr]


def test_a_verb_of_another_package_joins_a_group(camfleet: CommandLine) -> None:
    assert camfleet.run("model", "convert", "pets").out == "converted pets\n"
    assert "convert" in camfleet.run("model", "--help").out


def test_a_group_of_another_package_joins_the_command(camfleet: CommandLine) -> None:
    assert camfleet.run("hailo", "install").out == "installed\n"


def test_a_broken_plug_in_is_said_and_the_rest_works(camfleet: CommandLine) -> None:
    outcome = camfleet.run("model", "search", "face")
    assert outcome.code == 0
    assert "command 'broken' of test_cli_plugins:nothing cannot be loaded" in outcome.err
