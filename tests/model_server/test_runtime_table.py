"""The table of runtimes, the formats they read and the page about them agree."""

from pathlib import Path

from camfleet_contracts.frameworks import FRAMEWORKS
from camfleet_server.runtimes.table import DISTRIBUTIONS, RUNTIMES, USUAL_RUNTIME


def test_every_runtime_has_its_packages_and_its_row_in_the_page(repository: Path) -> None:
    page = (repository / "docs" / "runtimes.md").read_text()
    assert set(DISTRIBUTIONS) == set(RUNTIMES)
    assert [name for name in RUNTIMES if f"\n| {name} |" not in page] == []


def test_every_format_is_read_by_runtimes_that_are_there() -> None:
    assert {name for framework in FRAMEWORKS for name in framework.runtimes} == set(RUNTIMES)
    assert USUAL_RUNTIME in RUNTIMES
