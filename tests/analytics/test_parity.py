"""docs/parity.md is a list of what is there: every item names its tests, or why it is left out."""

import re
from pathlib import Path

import pytest

_ROW = re.compile(r"^\| P(\d+) \|(.*)\|$", re.MULTILINE)
_TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
_REASON = re.compile(r"left out: .{12,}")


@pytest.fixture(scope="module")
def rows(repository: Path) -> dict[int, str]:
    text = (repository / "docs" / "parity.md").read_text()
    return {int(number): row for number, row in _ROW.findall(text)}


def test_every_item_of_the_list_is_there_once(repository: Path, rows: dict[int, str]) -> None:
    assert list(rows) == list(range(1, 69))
    assert len(_ROW.findall((repository / "docs" / "parity.md").read_text())) == 68


@pytest.mark.parametrize("number", range(1, 69))
def test_item_names_tests_that_exist_or_a_reason(
    repository: Path, rows: dict[int, str], number: int
) -> None:
    tests = _TEST.findall(rows[number])

    assert tests or _REASON.search(rows[number])
    for file, name in tests:
        path = repository / file
        assert path.is_file(), file
        assert re.search(rf"^(async )?def {name}\(", path.read_text(), re.MULTILINE), name
