"""What the documents say to type, and which names they list, beside the code."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from camfleet.cli.application import build_app
from camfleet.decoders import decoder_names
from camfleet_contracts.sinks import SINK_KINDS

BLOCK = re.compile(r"^```(?:sh)?\n(.*?)^```", re.DOTALL | re.MULTILINE)
PAGES = ("README", "docs/quick-start", "docs/cli", "docs/apps", "docs/workbench", "docs/operations")


def typed_lines(page: Path) -> Iterator[str]:
    """The lines that begin with the command, without comments and what a pipe does with it."""
    for block in BLOCK.findall(page.read_text().replace("\\\n", " ")):
        for line in block.splitlines():
            for part in re.split(r"&&|\|", line.partition("  ")[0].partition(" #")[0]):
                if re.match(r"\s*([A-Z_]+=\S+ )*camfleet ", part):
                    yield part.strip()


def fault_of(line: str) -> str:
    """What the command would say against the line, "" for nothing."""
    words = shlex.split(line)
    command: Any = typer.main.get_command(build_app())
    arguments = words[words.index("camfleet") + 1 :]
    while hasattr(command, "commands") and arguments and not arguments[0].startswith("-"):
        if arguments[0] not in command.commands:
            return f"{line}: no verb {arguments[0]}"
        command, arguments = command.commands[arguments[0]], arguments[1:]
    known = {"--", "--help", *(o for p in command.params for o in (*p.opts, *p.secondary_opts))}
    unknown = {word for word in arguments if word.startswith("--")} - known
    return f"{line}: no option {unknown}" if unknown else ""


@pytest.mark.parametrize("name", PAGES)
def test_every_command_of_a_page_has_its_verb_and_options(repository: Path, name: str) -> None:
    lines = list(typed_lines(repository / f"{name}.md"))
    assert [fault for line in lines if (fault := fault_of(line))] == []


@pytest.mark.parametrize("line", ["camfleet model pul x", "camfleet infer x --frob"])
def test_a_command_that_is_none_would_be_found(line: str) -> None:
    assert fault_of(line)


def test_every_verb_is_in_the_table_of_the_commands_page(repository: Path) -> None:
    rows = re.findall(r"^\| `camfleet (.*)", (repository / "docs/cli.md").read_text(), re.MULTILINE)
    told = {word for row in rows for word in re.findall(r"[a-z-]+", row)}
    command: Any = typer.main.get_command(build_app())
    groups = [command, *(c for c in command.commands.values() if hasattr(c, "commands"))]
    assert {name for group in groups for name in group.commands} - told == set()


def test_the_pages_have_commands_to_look_at(repository: Path) -> None:
    assert len([line for name in PAGES for line in typed_lines(repository / f"{name}.md")]) > 30


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("analytics", decoder_names()),
        ("cameras", SINK_KINDS),
        ("analytics", SINK_KINDS),
    ],
    ids=["decoders", "sinks", "what sinks do"],
)
def test_a_page_lists_all_there_are(repository: Path, page: str, names: tuple[str, ...]) -> None:
    text = (repository / "docs" / f"{page}.md").read_text()
    assert [name for name in names if f"`{name}`" not in text] == []
