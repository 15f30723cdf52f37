"""What was opened with a key ends with it."""

import errno
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from camfleet_contracts import key_watch
from camfleet_contracts.access import KeyMiddleware
from camfleet_contracts.keys import Key, KeyStore
from fakes_page import FilmedCamera, ScriptedFleet, running, served
from running_app import RunningApp, running_app


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningApp]:
    monkeypatch.setattr(key_watch, "CHECKED_EVERY_S", 0.05)
    with running_app(tmp_path) as running:
        yield running


def test_a_stream_ends_when_its_key_is_revoked(app: RunningApp) -> None:
    url = f"{app.address.replace('http', 'ws')}/v1/stream?apiKey={app.keys.add('wall', 'viewer')}"
    with connect(url, open_timeout=60) as revoked, app.stream() as other:
        app.keys.revoke("wall")
        with pytest.raises(ConnectionClosed):
            revoked.recv(60)
        app.show()
        assert other.recv(60)
    assert (revoked.close_code, revoked.close_reason) == (
        4401,
        "the key was revoked, or the session is over",
    )


def test_a_stream_of_a_browser_ends_with_its_session(app: RunningApp) -> None:
    app.keys.ensure()
    cookie = app.keys.new_session(Key("link", "admin"))
    with connect(
        f"{app.address.replace('http', 'ws')}/v1/panels",
        additional_headers={"cookie": f"camfleet_session={cookie}"},
        open_timeout=60,
    ) as browser:
        browser.recv(60)
        (app.settings.state_dir / "session.key").unlink()
        with pytest.raises(ConnectionClosed):
            browser.recv(60)
    assert browser.close_code == 4401


def test_a_state_folder_that_cannot_be_read_for_once_ends_nothing(
    app: RunningApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = threading.Event()

    def cannot(*_: object) -> None:
        asked.set()
        raise OSError(errno.EMFILE, "Too many open files")

    with app.stream() as stream:
        monkeypatch.setattr(app.keys, "start_check", cannot)
        assert asked.wait(60)
        app.show()
        assert stream.recv(60)


def test_motion_jpeg_ends_when_its_key_is_revoked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_watch, "CHECKED_EVERY_S", 0.05)
    keys, fleet = KeyStore(tmp_path / "keys.json"), ScriptedFleet()
    key = keys.add("wall", "viewer")
    with (
        served(KeyMiddleware(fleet.app(), keys)) as url,
        running([FilmedCamera(fleet, "door")], fleet.hub.close),
        urllib.request.urlopen(f"{url}/live/door.mjpg?apiKey={key}", timeout=60) as answer,
    ):
        assert answer.readline().startswith(b"--camfleet-picture")
        keys.revoke("wall")
        answer.read()  # to its end
