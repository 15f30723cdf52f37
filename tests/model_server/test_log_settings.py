"""Triton's logging extension against our one level."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from camfleet_server.errors import InvalidInput
from camfleet_server.transports.log_settings import change_log_settings, read_log_settings


@pytest.fixture(autouse=True)
def same_level_afterwards() -> Iterator[None]:
    level = logging.getLogger().level
    yield
    logging.getLogger().setLevel(level)


@pytest.mark.parametrize(
    ("changes", "level"),
    [
        ({"log_verbose_level": 1}, logging.DEBUG),
        ({"log_verbose_level": 0, "log_info": True}, logging.INFO),
        ({"log_info": False}, logging.WARNING),
        ({"log_info": False, "log_warnings": False}, logging.ERROR),
        ({"log_info": False, "log_warning": False, "log_error": False}, logging.CRITICAL + 10),
    ],
)
def test_switches_choose_the_level(changes: dict[str, Any], level: int) -> None:
    logging.getLogger().setLevel(logging.INFO)
    told = change_log_settings(changes)
    assert logging.getLogger().level == level
    assert told == read_log_settings()


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"log_file": "/tmp/x"}, "'log_file' cannot be changed"),  # noqa: S108 - never written
        ({"log_format": "ISO8601"}, "'log_format' cannot be changed"),
        ({"log_info": 1}, "'log_info' - Expected: true or false"),
        ({"log_verbose_level": True}, "'log_verbose_level' - Expected: 0 and more"),
        ({"log_verbose_level": -1}, "'log_verbose_level' - Expected: 0 and more"),
        ({"volume": 11}, "'volume' is unknown"),
    ],
)
def test_what_cannot_be_changed_is_refused_and_changes_nothing(
    changes: dict[str, Any], text: str
) -> None:
    before = logging.getLogger().level
    with pytest.raises(InvalidInput, match=text):
        change_log_settings({"log_verbose_level": 1, **changes})
    assert logging.getLogger().level == before


def test_equal_values_change_nothing() -> None:
    before = read_log_settings()
    assert change_log_settings({**before, "log_info": None}) == before
