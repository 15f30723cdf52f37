"""What several ask about one picture."""

import contextlib
import gc
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

import pytest

from camfleet.video.once import Once
from waiting import wait_until


class Lost(Exception):
    """The request failed."""


class Slow:
    """Work that ends when the test lets it, and counts how often it was begun."""

    def __init__(self, failure: BaseException | None = None) -> None:
        self.begun, self.may_end, self.failure = 0, threading.Event(), failure

    def __call__(self) -> str:
        self.begun += 1
        self.may_end.wait(60)
        if self.failure is not None:
            raise self.failure
        return "two cars"


def asked_by_three(
    once: Once, work: Slow, pool: ThreadPoolExecutor
) -> list[Future[tuple[str, bool]]]:
    """All of them wait: one for the work, two for the first."""
    asking = [pool.submit(once.ask, "model", work) for _ in range(3)]
    wait_until(lambda: work.begun and all(one.running() for one in asking), 60, "three who ask")
    return asking


@pytest.fixture
def pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(3)


def test_who_asks_meanwhile_waits_for_the_first(pool: ThreadPoolExecutor) -> None:
    once, work = Once(), Slow()
    asking = asked_by_three(once, work, pool)
    work.may_end.set()
    answers = [one.result(60) for one in asking]
    assert sorted(answers) == [("two cars", False), ("two cars", False), ("two cars", True)]
    assert work.begun == 1


def test_who_asks_later_gets_what_is_known_and_other_questions_are_asked() -> None:
    once = Once()
    assert once.ask("model", lambda: 1) == (1, True)
    assert once.ask("model", lambda: 2) == (1, False)
    assert once.ask("another model", lambda: 3) == (3, True)


def test_a_failure_reaches_all_who_wait_and_who_comes_later_tries_anew(
    pool: ThreadPoolExecutor,
) -> None:
    once, work = Once(), Slow(Lost("no server"))
    asking = asked_by_three(once, work, pool)
    work.may_end.set()
    assert [str(one.exception(60)) for one in asking] == ["no server"] * 3
    assert once.ask("model", lambda: "back") == ("back", True)


class Picture:
    """Something that can be asked whether it is still there."""


def seen(_: Picture) -> str:
    return "two cars"


def not_seen(_: Picture) -> str:
    raise Lost


@pytest.mark.parametrize("look", [seen, not_seen], ids=["answer", "failure"])
def test_what_was_asked_lives_no_longer_than_the_picture(look: Callable[[Picture], str]) -> None:
    gc.disable()  # nobody may have to look for circles
    try:
        assert asked_about(look)() is None
    finally:
        gc.enable()


def asked_about(look: Callable[[Picture], str]) -> Callable[[], Picture | None]:
    once, picture = Once(), Picture()
    with contextlib.suppress(Lost):
        once.ask("model", partial(look, picture))
    return weakref.ref(picture)
