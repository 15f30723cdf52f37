"""Streamer on a fleet's page and on one of its own, over real HTTP and WebSockets."""

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.sync.server import ServerConnection, serve

from camfleet import BadArgument, BadImage, CannotShow, Streamer
from camfleet.streaming import feed
from free_ports import free_port
from running_app import RunningApp, running_app
from serving_thread import in_thread
from waiting import wait_until

PICTURE = np.full((90, 160, 3), 200, np.uint8)


@pytest.fixture(autouse=True)
def own_port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAMER_PORT", "0")
    monkeypatch.setenv("CAMFLEET_STATE", str(tmp_path / "state"))


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningApp]:
    with running_app(tmp_path) as app:
        monkeypatch.setenv("STREAMER_PORT", str(app.port))
        monkeypatch.setenv("CAMFLEET_API_KEY", app.key)
        yield app


def look(address: str, name: str, key: str = "") -> ClientConnection:
    query = f"?apiKey={key}" if key else ""
    return connect(f"{address.replace('http', 'ws', 1)}/v1/panels/{name}{query}", open_timeout=60)


def next_text(viewer: ClientConnection) -> str:
    while not isinstance(message := viewer.recv(timeout=60), str):
        pass
    return str(json.loads(message)["text"])


def next_picture(viewer: ClientConnection) -> Any:
    while not isinstance(message := viewer.recv(timeout=60), bytes):
        pass
    return cv2.imdecode(np.frombuffer(message, np.uint8), cv2.IMREAD_COLOR)


def test_own_page_shows_picture_and_lines() -> None:
    with Streamer(name="door") as streamer:
        assert "panel-page.js" in httpx.get(streamer.address, timeout=60).text
        assert httpx.get(f"{streamer.address}/v1/panels", timeout=60).json() == {"panels": ["door"]}
        streamer.send_data(PICTURE, ["2 people", 7])
        with look(streamer.address, "door") as viewer:
            picture = next_picture(viewer)
            assert picture.shape == PICTURE.shape
            assert abs(int(picture.mean()) - 200) <= 2
            streamer.send_data(PICTURE, "later")
            assert next_text(viewer) in {"2 people\n7", "later"}


def test_port_of_the_script_is_taken_before_that_of_the_environment() -> None:
    port = free_port()
    with Streamer(port=port, name="door") as streamer:
        assert streamer.address == f"http://127.0.0.1:{port}"


def test_fleets_page_has_the_script_as_a_panel(fleet: RunningApp) -> None:
    with Streamer(name="door") as streamer:
        assert streamer.address == fleet.address
        with look(streamer.address, "door", fleet.key) as viewer:
            streamer.send_data(PICTURE, "one person")
            assert next_picture(viewer).shape == PICTURE.shape
    answer = httpx.get(f"{fleet.address}/v1/panels", headers={"x-api-key": fleet.key}, timeout=60)
    assert answer.json() == {"panels": []}


def test_stop_button_is_seen_and_ends_the_wait() -> None:
    with Streamer(name="door") as streamer:
        streamer.send_data(PICTURE, "")
        assert not streamer.check_exit()
        with look(streamer.address, "door") as viewer:
            viewer.send(json.dumps({"stop": True}))
            streamer.wait()
            assert streamer.check_exit()


def test_viewers_key_neither_stops_nor_shows(
    fleet: RunningApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = fleet.keys.add("guest", "viewer")
    with Streamer(name="door") as streamer:
        with look(fleet.address, "door", key) as viewer:
            viewer.send(json.dumps({"stop": True}))
            streamer.send_data(PICTURE, "still here")
            next_picture(viewer)
        assert not streamer.check_exit()
    monkeypatch.setenv("CAMFLEET_API_KEY", key)
    with pytest.raises(CannotShow, match="viewer's key"):
        Streamer(name="door").setup()


def test_nothing_is_encoded_while_nobody_looks() -> None:
    with Streamer(name="door") as streamer:
        for _ in range(20):
            streamer.send_data(PICTURE, "")
    assert streamer.encoded == 0


def test_every_picture_is_sent_when_none_may_be_dropped() -> None:
    with Streamer(name="door", drop_frames=False, queue_depth=1) as streamer:
        streamer.send_data(PICTURE, "first")
        with look(streamer.address, "door") as viewer:
            next_picture(viewer)
            before = streamer.encoded
            for number in range(10):
                streamer.send_data(PICTURE, str(number))
            wait_until(lambda: streamer.encoded == before + 10, 60, "all pictures are encoded")


def test_large_pictures_are_made_smaller_in_shape() -> None:
    with Streamer(name="door", max_image_width=100, max_image_height=20) as streamer:
        streamer.send_data(PICTURE, "")
        with look(streamer.address, "door") as viewer:
            assert next_picture(viewer).shape == (20, 36, 3)


def test_somebody_who_comes_late_sees_the_last_picture() -> None:
    with Streamer(name="door") as streamer:
        streamer.send_data(PICTURE, "the end")
        for _ in range(2):
            with look(streamer.address, "door") as viewer:
                assert next_picture(viewer).shape == PICTURE.shape


def test_second_script_appears_beside_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    with Streamer(name="door") as first:
        monkeypatch.setenv("STREAMER_PORT", first.address.rpartition(":")[2])
        with Streamer(name="door") as second:
            assert second.address == first.address
            names = httpx.get(f"{first.address}/v1/panels", timeout=60).json()["panels"]
            assert names == ["door", "door-2"]


def test_script_makes_its_own_page_when_the_one_it_was_on_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    port = free_port()
    monkeypatch.setenv("STREAMER_PORT", str(port))
    first = Streamer(name="first").setup()
    with Streamer(name="second"):
        first.close()

        def names() -> list[str]:
            try:
                return list(
                    httpx.get(f"http://127.0.0.1:{port}/v1/panels", timeout=60).json()["panels"]
                )
            except httpx.HTTPError:
                return []

        wait_until(lambda: names() == ["second"], 60, "the second script's own page")


def test_wrong_key_is_said_with_the_way_out(
    fleet: RunningApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAMFLEET_API_KEY", "wrong")
    with pytest.raises(CannotShow, match="wants a key; set CAMFLEET_API_KEY"):
        Streamer(name="door").setup()


def test_port_of_somebody_else_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    somebody = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    monkeypatch.setenv("STREAMER_PORT", str(somebody.server_port))
    refused = pytest.raises(CannotShow, match=r"not a camfleet page .* set STREAMER_PORT")
    with in_thread(somebody), refused:
        Streamer(name="door").setup()


def test_page_that_takes_the_panel_and_says_nothing_is_left_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(feed, "_OPEN_LIMIT_S", 2.0)
    left = threading.Event()

    def say_nothing(connection: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            connection.recv()
        left.set()

    with serve(say_nothing, "127.0.0.1", 0) as server:
        threading.Thread(target=server.serve_forever, name="silent-page", daemon=True).start()
        address = f"http://127.0.0.1:{server.socket.getsockname()[1]}"
        with pytest.raises(CannotShow):
            feed.Feed.open(address, "script", None, lambda: None)
        assert left.wait(60)


def test_beyond_loopback_needs_protection_and_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIND_ADDRESS", "0.0.0.0")
    with pytest.raises(CannotShow, match="refusing to listen"):
        Streamer(name="door").setup()
    monkeypatch.setenv("ALLOW_CIDR", "127.0.0.0/8")
    monkeypatch.setenv("CAMFLEET_API_KEY", "secret-of-the-test")
    with Streamer(name="door") as streamer:
        assert httpx.get(streamer.address, timeout=60).status_code == 401
        key = {"x-api-key": "secret-of-the-test"}
        assert "panel-page.js" in httpx.get(streamer.address, headers=key, timeout=60).text
        with pytest.raises(ConnectionClosed, match="4401"), look(streamer.address, "door") as one:
            one.recv(timeout=60)


@pytest.mark.parametrize(
    "image",
    [
        None,
        np.zeros((4, 4, 3), np.float32),
        np.zeros((0, 4, 3), np.uint8),
        np.zeros((4, 4, 2), "u1"),
    ],
    ids=["none", "float", "empty", "two channels"],
)
def test_what_is_no_picture_is_refused(image: Any) -> None:
    with pytest.raises(BadImage, match="send_data: image is"):
        Streamer().send_data(image, "")


def test_bounds_that_leave_no_picture_are_refused() -> None:
    with pytest.raises(BadArgument, match="max_image_width is -3; give pixels, or None for no"):
        Streamer(max_image_width=-3)


@pytest.mark.parametrize(
    ("text", "shown"), [("one", "one"), (3.5, "3.5"), (["one", 2], "one\n2"), ([], "")], ids=repr
)
def test_text_is_a_value_or_lines(text: object, shown: str) -> None:
    with Streamer(name="door") as streamer:
        streamer.send_data(PICTURE, text)
        with look(streamer.address, "door") as viewer:
            assert next_text(viewer) == shown


def test_page_of_another_site_may_not_look() -> None:
    with Streamer(name="door") as streamer:
        url = f"{streamer.address.replace('http', 'ws', 1)}/v1/panels/door"
        origin = {"Origin": "http://evil.example"}
        with (
            connect(url, additional_headers=origin, open_timeout=60) as foreign,
            pytest.raises(ConnectionClosed, match="4403"),
        ):
            foreign.recv(timeout=60)


@pytest.mark.parametrize(
    ("script", "name"),
    [("/srv/people counter/app.py", "people-counter"), ("/srv/x/door.py", "door"), ("", "script")],
)
def test_panel_is_called_as_the_script_or_its_folder(
    monkeypatch: pytest.MonkeyPatch, script: str, name: str
) -> None:
    monkeypatch.setattr("sys.argv", [script])
    with Streamer() as streamer:
        assert httpx.get(f"{streamer.address}/v1/panels", timeout=60).json()["panels"] == [name]
