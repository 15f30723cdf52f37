"""Live video over real sockets."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Origin

from fakes_page import FilmedCamera, ScriptedFleet, running, served
from waiting import wait_until


@pytest.fixture
def fleet() -> ScriptedFleet:
    return ScriptedFleet()


@pytest.fixture
def address(fleet: ScriptedFleet) -> Iterator[str]:
    with served(fleet.app()) as url, running([FilmedCamera(fleet, "door")], fleet.hub.close):
        yield url


def live(address: str, name: str) -> str:
    return f"{address.replace('http', 'ws')}/live/{name}"


def test_a_viewer_gets_words_then_init_then_fragments(address: str) -> None:
    with connect(live(address, "door"), open_timeout=60) as socket:
        head = json.loads(socket.recv(60))
        init, fragment = socket.recv(60), socket.recv(60)
    assert {"codec", "width", "height", "fps", "t0", "start_s", "note"} == head.keys()
    assert isinstance(init, bytes)
    assert isinstance(fragment, bytes)
    assert (init[4:8], fragment[4:8]) == (b"ftyp", b"moof")


def test_leaving_ends_the_work(address: str, fleet: ScriptedFleet) -> None:
    camera = fleet.hub.camera("door")
    with connect(live(address, "door"), open_timeout=60) as socket:
        socket.recv(60)
        assert camera.viewers == 1
    wait_until(lambda: camera.viewers == 0, 60, "the viewer to be forgotten")


def test_a_camera_that_is_not_there_is_named(address: str) -> None:
    with (
        connect(live(address, "attic"), open_timeout=60) as socket,
        pytest.raises(ConnectionClosed) as closed,
    ):
        socket.recv(60)
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (
        4404,
        "no camera of this name runs",
    )


def test_a_removed_camera_closes_its_viewers(address: str, fleet: ScriptedFleet) -> None:
    with connect(live(address, "door"), open_timeout=60) as socket:
        socket.recv(60)
        fleet.hub.remove_camera("door")
        with suppress(ConnectionClosed):
            list(socket)
    assert socket.close_code == 4410


def test_motion_jpeg_is_a_multipart_answer(address: str, fleet: ScriptedFleet) -> None:
    with urllib.request.urlopen(f"{address}/live/door.mjpg", timeout=60) as answer:
        assert answer.headers.get_content_type() == "multipart/x-mixed-replace"
        assert answer.readline().startswith(b"--camfleet-picture")
        assert answer.readline() == b"Content-Type: image/jpeg\r\n"
    pictures = fleet.hub.camera("door").pictures
    wait_until(lambda: not pictures._watchers, 60, "the watcher to be forgotten")


def test_motion_jpeg_comes_over_a_websocket_too(address: str, fleet: ScriptedFleet) -> None:
    pictures = fleet.hub.camera("door").pictures
    with connect(live(address, "door.mjpg"), open_timeout=60) as socket:
        jpeg = socket.recv(60)
    assert isinstance(jpeg, bytes)
    assert jpeg[:2] == b"\xff\xd8"
    wait_until(lambda: not pictures._watchers, 60, "the watcher to be forgotten")


def test_a_removed_camera_ends_its_motion_jpeg(address: str, fleet: ScriptedFleet) -> None:
    with connect(live(address, "door.mjpg"), open_timeout=60) as socket:
        socket.recv(60)
        fleet.hub.remove_camera("door")
        with suppress(ConnectionClosed):
            list(socket)
    assert socket.close_code == 4410


def test_motion_jpeg_of_an_unknown_camera_says_so(address: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as failed:
        urllib.request.urlopen(f"{address}/live/attic.mjpg", timeout=60)
    assert failed.value.code == 404
    assert "attic" in json.loads(failed.value.read())["error"]


def test_a_foreign_page_may_not_watch(address: str) -> None:
    foreign = connect(
        live(address, "door"), origin=Origin("https://elsewhere.test"), open_timeout=60
    )
    with foreign, pytest.raises(ConnectionClosed) as closed:
        foreign.recv(60)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4403
