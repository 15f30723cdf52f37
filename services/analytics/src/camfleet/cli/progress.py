"""Progress bars on standard error: of downloads, and of what takes a known time."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from camfleet.catalog.transfer import Report
from camfleet.cli.console import err


@contextmanager
def progress_bars() -> Iterator[Report]:
    """One bar per file that reports; plain lines are left when it ends."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    progress = Progress(*columns, console=err)
    tasks: dict[str, TaskID] = {}

    def report(name: str, had: int, wanted: int) -> None:
        progress.start()  # with the first file: bars that show none leave an empty line
        if name not in tasks:
            tasks[name] = progress.add_task(name, total=None)
        progress.update(tasks[name], completed=had, total=wanted or None)

    try:
        yield report
    finally:
        if tasks:
            progress.stop()


@contextmanager
def waiting_bar(what: str, seconds: float) -> Iterator[Callable[[float], None]]:
    """A bar over a known time; it is told the seconds that have passed."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    bar = Progress(
        *columns, console=err, transient=True, refresh_per_second=2, disable=not err.is_terminal
    )
    with bar as progress:
        task = progress.add_task(what, total=seconds)
        yield lambda passed: progress.update(task, completed=passed)
