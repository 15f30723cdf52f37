"""Limits on open files."""

import resource
import sys
from collections.abc import Iterator

import pytest

from camfleet_server.open_files import allow_most_open_files, most_open_files


@pytest.fixture
def hard_limit() -> Iterator[int]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_as_many_files_are_allowed_as_the_system_lets_us(hard_limit: int) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard_limit // 2, hard_limit))
    assert most_open_files() == hard_limit // 2
    allow_most_open_files()
    assert most_open_files() == hard_limit


def test_without_a_limit_there_is_no_end_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    monkeypatch.setattr(resource, "getrlimit", lambda _: unlimited)
    assert most_open_files() == sys.maxsize
