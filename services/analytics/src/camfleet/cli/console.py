"""Where commands write: results to standard output, progress and errors to standard error."""

import json
import sys
from collections.abc import Iterable
from textwrap import wrap
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

_INDENT = "    "
_UNBOUND = 1 << 16  # columns


def _results() -> Console:
    """Fits what it writes to a terminal; a pipe or file gets a line for each row."""
    made = Console(soft_wrap=True, highlight=False)
    if not made.is_terminal:
        made.width = _UNBOUND
    return made


out = _results()
err = Console(stderr=True, soft_wrap=True, highlight=False)


def print_json(document: Any) -> None:
    """Write one JSON document for scripts, without colour or wrapping."""
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False, default=str) + "\n")


def print_error(line: str) -> None:
    """Write the one line of an error."""
    err.print(f"[bold red]error:[/] {escape(line)}")


def note(line: str) -> None:
    """Write a line for the person at the terminal, not for scripts."""
    err.print(escape(line))


def table(*headers: str) -> Table:
    """A plain table with these column headers."""
    made = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for number, header in enumerate(headers):
        made.add_column(header, overflow="fold", no_wrap=number == 0)
    return made


def print_reasons(reasons: Iterable[tuple[str, str | None]]) -> None:
    """Write under a table why its rows are as they are; the lines end between words."""
    told = [f"{which}: {reason}" for which, reason in reasons if reason]
    if told:
        out.print()
    for text in told:
        lines = wrap(
            text,
            out.width,
            subsequent_indent=_INDENT,
            break_long_words=False,
            break_on_hyphens=False,
        )
        out.print(*lines, sep="\n", markup=False)
