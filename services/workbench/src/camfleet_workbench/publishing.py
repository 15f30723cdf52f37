"""A package becomes the version that is served, from a cell."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from pathlib import Path

from camfleet.catalog.transfer import Report
from camfleet.cli.packages.publish import Published, PublishOptions
from camfleet.cli.packages.publish import publish as publish_package
from camfleet.cli.packages.telling import Terminal
from camfleet.cli.settings import command_settings
from camfleet_contracts.trail import Trail
from camfleet_workbench.cells import CellOutput, in_notebook
from camfleet_workbench.html import paragraph
from camfleet_workbench.plainly import plainly


@dataclass(frozen=True, slots=True)
class PublishedVersion:
    """What `publish` led to; the last value of a cell."""

    name: str
    version: int
    state: str  # the server's word; empty when no server answers

    @property
    def reference(self) -> str:
        """name:version, as models are asked for."""
        return f"{self.name}:{self.version}"

    def __repr__(self) -> str:
        """One line."""
        return f"{self.reference} {self.state or 'on the volume, no server answers'}"


@plainly
def publish(
    package: str | Path,
    name: str | None = None,
    *,
    metrics: Mapping[str, float] | None = None,
    parent: str = "",
    note: str = "",
    wait_s: float = 60.0,
) -> PublishedVersion:
    """Publish a folder or archive as the next version, and wait until the server has it.

    The notebook, its user, `metrics`, `parent` and `note` are noted in the version; see
    `camfleet model log NAME`. Whatever goes wrong leaves volume and config.json as they were.

    Raises:
        CellError: the package cannot be used, or the server refused it; says why.
    """
    trail = Trail(parent=parent, metrics=dict(metrics or {}), note=note)
    options = PublishOptions(name, wait_s=wait_s, trail=trail)
    done = publish_package(
        command_settings(), Path(package), options, _Cell() if in_notebook() else Terminal()
    )
    return PublishedVersion(done.name, done.version, _state_of(done))


def _state_of(done: Published) -> str:
    return done.verdict.state if done.verdict else ""


class _Cell:
    """A Teller that writes into the cell: one bar, then one line for each sentence."""

    def __init__(self) -> None:
        self._output = CellOutput()
        self._lines: list[str] = []

    @contextmanager
    def copying(self) -> Iterator[Report]:
        """A bar that fills."""

        def report(name: str, had: int, wanted: int) -> None:
            self._show(_bar(f"copying {name}", had / max(wanted, 1)))

        yield report
        self._show("")

    @contextmanager
    def waiting(self, what: str) -> Iterator[None]:
        """A bar without an end."""
        self._show(_bar(what, None))
        try:
            yield
        finally:
            self._show("")

    def say(self, line: str) -> None:
        """A line that stays."""
        self._lines.append(line)
        self._show("")

    def _show(self, bar: str) -> None:
        self._output.html("".join(map(paragraph, self._lines)) + bar)


def _bar(what: str, share: float | None) -> str:
    value = "" if share is None else f" value='{share:.3f}'"
    return f"<div><progress{value}></progress> {escape(what)}</div>"
