"""Two hundred requests in flight over five version changes: none fails, each client sees order."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest

from model_volume import Core, Volume, running_core

CLIENTS = 200
LAST_VERSION = 6


@pytest.fixture
def volume(tmp_path: Path) -> Volume:
    return Volume.of_adder(tmp_path)


@pytest.fixture
def core(volume: Volume) -> Iterator[Core]:
    with running_core(volume, queue_limit=2 * CLIENTS) as core:
        core.wait_for("adder", 1)
        yield core


def test_no_request_fails_and_answers_change_once_per_version(volume: Volume, core: Core) -> None:
    is_over = threading.Event()
    with ThreadPoolExecutor(CLIENTS) as clients:
        histories = [clients.submit(_ask_until, core, is_over) for _ in range(CLIENTS)]
        for version in range(2, LAST_VERSION + 1):
            volume.publish_adder("adder", version, addend=version)
            core.wait_for_answer("adder", version)
        is_over.set()
        answers = [history.result() for history in histories]
    assert all(_is_ascending(client) for client in answers)
    assert {client[-1] for client in answers} == {LAST_VERSION}
    assert {answer for client in answers for answer in client} == set(range(1, LAST_VERSION + 1))


def _ask_until(core: Core, is_over: threading.Event) -> list[float]:
    answers = [core.add("adder")]
    while not is_over.is_set():
        answers.append(core.add("adder"))
        is_over.wait(0.01)
    return [*answers, core.add("adder")]


def _is_ascending(answers: list[float]) -> bool:
    return all(before <= after for before, after in pairwise(answers))
