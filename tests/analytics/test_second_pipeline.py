"""Two pipelines on one camera: a real capture service, a real model server, one connection."""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from camera_readers import capturing
from camfleet.inference.detector import ServerDetector
from camfleet.inference.model_client import ModelClient
from camfleet.service.pipeline import Pipeline, Surroundings
from camfleet.service.reading import Readers, Subscription
from fakes_analytics import CollectingPublisher, NoLiveCamera, camera
from free_ports import free_port
from real_server import demo_server
from seeded_volume import seed_demo
from waiting import wait_until

LINE = "lines: [{name: gate, from: [0, 0.5], to: [1, 0.5]}]"


class Place:
    """A camera and a model server, for as many pipelines as a test wants."""

    def __init__(self, rtsp_port: int, client: ModelClient) -> None:
        self.readers, self.publisher = Readers(), CollectingPublisher()
        self._address = f"rtsp://127.0.0.1:{rtsp_port}/street"
        self._around = Surroundings(ServerDetector(client), self.publisher, "box")

    @contextmanager
    def pipeline(self, name: str, settings: str) -> Iterator[Pipeline]:
        read = Subscription(self.readers, name, lambda: self._address, NoLiveCamera())
        wanted = camera(f"{{model: demo-street, {settings}}}", name)
        running = Pipeline(wanted, read, NoLiveCamera(), self._around, {})
        running.start()
        try:
            yield running
        finally:
            running.stop(10)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Iterator[Place]:
    folder, port = tmp_path_factory.mktemp("place"), free_port()
    seed_demo(repository, folder)
    with ExitStack() as stack:
        _, rtsp_port = stack.enter_context(capturing(folder))
        stack.enter_context(demo_server(folder, port))
        client = stack.enter_context(closing(ModelClient(f"127.0.0.1:{port}")))
        yield Place(rtsp_port, client)


def analyses(pipeline: Pipeline, more: int) -> None:
    wanted = pipeline.statistics.analysed + more
    wait_until(lambda: pipeline.statistics.analysed >= wanted, 90, "analysed frames")


def test_a_second_pipeline_asks_nothing_that_the_first_has_asked(place: Place) -> None:
    with (
        place.pipeline("one", f"fps: 5, {LINE}") as one,
        place.pipeline("two", f"fps: 5, confidence: 0.3, {LINE}") as two,
    ):
        for each in (one, two):
            analyses(each, 20)
        assert one.source.counts.connections == two.source.counts.connections == 1
        assert (one.model.state, two.model.state) == ("ok", "ok")
    shared = one.statistics.shared + two.statistics.shared
    asked = one.ledger.asked + two.ledger.asked
    assert shared >= 0.5 * min(one.statistics.analysed, two.statistics.analysed)
    assert asked + shared == one.statistics.analysed + two.statistics.analysed


def test_a_slower_pipeline_is_answered_by_a_quicker_one(place: Place) -> None:
    with place.pipeline("quick", "fps: 10") as quick, place.pipeline("slow", "fps: 5") as slow:
        analyses(slow, 20)
        shared = slow.statistics.shared + quick.statistics.shared
        assert shared >= 0.5 * slow.statistics.analysed


def test_a_pipeline_that_ends_leaves_the_other_its_connection_its_tracks_and_its_zones(
    place: Place,
) -> None:
    everywhere = "zones: [{name: all, polygon: [[0, 0], [1, 0], [1, 1], [0, 1]]}]"
    with place.pipeline("stays", f"fps: 5, {everywhere}") as stays:
        with place.pipeline("passes", f"fps: 5, {everywhere}") as passes:
            for each in (stays, passes):
                analyses(each, 20)
        before = [event.camera for event in place.publisher.labelled("zone_left")]
        assert before.count("passes") > before.count("stays")
        analyses(stays, 5)
        states = [e for e in place.publisher.labelled("camera_state") if e.camera == "stays"]
        assert [event.results["data"]["state"] for event in states] == ["LIVE"]
        assert stays.source.counts.connections == 1
