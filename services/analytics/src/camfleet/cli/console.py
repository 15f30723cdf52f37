"""Where commands write: results to standard output, progress and errors to standard error."""

import json
import sys
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

out = Console(soft_wrap=True, highlight=False)
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
