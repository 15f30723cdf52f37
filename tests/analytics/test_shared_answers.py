"""Pipelines that ask one model about one picture: one request, and everybody reads it itself."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing

import grpc
import pytest

from camfleet.inference import model_client
from camfleet.inference.detector import Detected, ServerDetector
from camfleet.inference.errors import ServerBusy, ServerSilent
from camfleet.inference.model_client import ModelClient
from camfleet.inference.tiling import TiledDetector
from camfleet.video.once import Once
from camfleet_contracts.stages import Tiles
from fakes_analytics import frame, picture
from fakes_kserve import FakeServer, one_box, one_face, serving
from waiting import wait_until

BUSY = (grpc.StatusCode.RESOURCE_EXHAUSTED, "queue full")


class Asking:
    """A model server whose answers the test holds back, and pipelines that ask it."""

    def __init__(self, server: FakeServer, detector: ServerDetector) -> None:
        self.server, self.detector = server, detector
        self.may_answer = threading.Event()
        self.may_answer.set()
        server.before_infer = self._hold_back
        self._pool = ThreadPoolExecutor(4)

    def _hold_back(self) -> None:
        self.may_answer.wait(60)

    def ask(self, once: Once, reference: str = "m", confidence: float = 0.5) -> Future[Detected]:
        return self._pool.submit(self.detector.detect, picture(), reference, confidence, once)

    def together(self, *asked: Callable[[], Future[Detected]]) -> list[Future[Detected]]:
        """The first one's request is under way when the others ask; then all are answered."""
        self.may_answer.clear()
        answers = [one() for one in asked]
        wait_until(lambda: all(one.running() for one in answers), 60, "all of them ask")
        self.may_answer.set()
        return answers


@pytest.fixture
def asking() -> Iterator[Asking]:
    with (
        serving(FakeServer({1: one_box("car", 0.0)})) as server,
        closing(ModelClient(server.address)) as client,
    ):
        yield Asking(server, ServerDetector(client))


def labels(answer: Future[Detected]) -> tuple[str, ...]:
    return answer.result(60).detections.labels


def test_two_that_ask_at_once_cost_one_request_which_one_of_them_made(asking: Asking) -> None:
    once = Once()
    answers = asking.together(lambda: asking.ask(once), lambda: asking.ask(once))
    assert [labels(one) for one in answers] == [("car",)] * 2
    assert sorted(one.result().is_shared for one in answers) == [False, True]
    assert asking.server.inferred == [1]


def test_who_asks_later_about_the_same_picture_is_answered_without_a_request(
    asking: Asking,
) -> None:
    seen = frame(1)
    first = asking.ask(seen.once).result(60)
    second = asking.ask(seen.once).result(60)
    assert (first.is_shared, second.is_shared) == (False, True)
    assert second.duration_s == first.duration_s
    assert asking.ask(frame(2).once).result(60).is_shared is False
    assert asking.server.inferred == [1, 1]


def test_each_reads_the_answer_with_its_own_confidence(asking: Asking) -> None:
    once = Once()
    assert labels(asking.ask(once, confidence=0.95)) == ()
    assert labels(asking.ask(once, confidence=0.5)) == ("car",)
    assert asking.server.inferred == [1]


def test_a_pinned_version_shares_with_who_is_answered_by_it_and_with_nobody_else(
    asking: Asking,
) -> None:
    asking.server.versions[2] = one_box("lorry", 0.5)
    asking.server.newest, once = 2, Once()
    assert labels(asking.ask(once)) == ("lorry",)
    assert labels(asking.ask(once, "m:1")) == ("car",)
    assert labels(asking.ask(once, "m:2")) == ("lorry",)
    assert asking.server.inferred == [2, 1]


def test_a_version_that_changes_while_it_is_asked_is_not_taken_for_a_pinned_one(
    asking: Asking,
) -> None:
    once = Once()
    asking.ask(Once()).result(60)
    asking.server.versions[2], asking.server.newest = one_box("lorry", 0.5), 2
    assert labels(asking.ask(once)) == ("lorry",)
    assert labels(asking.ask(once, "m:1")) == ("car",)


def test_an_answer_that_does_not_fit_is_asked_for_anew_by_each(asking: Asking) -> None:
    asking.ask(Once()).result(60)
    asking.server.versions[1] = one_face("face", (32, 32))
    once = Once()
    answers = asking.together(lambda: asking.ask(once), lambda: asking.ask(once))
    assert [labels(one) for one in answers] == [("face",)] * 2
    assert not any(one.result().is_shared for one in answers)


def test_a_refusal_reaches_all_who_wait_and_the_next_picture_is_asked_about(
    asking: Asking,
) -> None:
    once = Once()
    asking.ask(Once()).result(60)
    asking.server.refusal = BUSY
    answers = asking.together(lambda: asking.ask(once), lambda: asking.ask(once))
    assert [type(one.exception(60)) for one in answers] == [ServerBusy] * 2
    asking.server.refusal = None
    assert labels(asking.ask(once)) == ("car",)


def test_a_deadline_ends_the_waiting_of_all(
    asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    once = Once()
    asking.ask(Once()).result(60)
    monkeypatch.setattr(model_client, "DEADLINE_S", 0.5)
    asking.may_answer.clear()
    answers = [asking.ask(once), asking.ask(once)]
    failures = [type(one.exception(20)) for one in answers]
    asking.may_answer.set()
    assert failures == [ServerSilent] * 2


@pytest.mark.parametrize(
    ("tiles", "confidence", "is_shared"),
    [(Tiles(), 0.5, True), (Tiles(), 0.4, False), (Tiles(grid=(3, 1)), 0.5, False)],
    ids=["the same", "another confidence", "other tiles"],
)
def test_tiles_are_shared_by_who_wants_the_very_same(
    asking: Asking, tiles: Tiles, confidence: float, *, is_shared: bool
) -> None:
    once, seen = Once(), picture()
    first = TiledDetector(asking.detector, Tiles()).detect(seen, "m", 0.5, once)
    second = TiledDetector(asking.detector, tiles).detect(seen, "m", confidence, once)
    assert (first.is_shared, second.is_shared) == (False, is_shared)


def test_whole_and_tiled_pictures_are_not_mistaken_for_each_other(asking: Asking) -> None:
    once, seen = Once(), picture()
    asking.detector.detect(seen, "m", 0.5, once)
    tiled = TiledDetector(asking.detector, Tiles()).detect(seen, "m", 0.5, once)
    assert not tiled.is_shared
