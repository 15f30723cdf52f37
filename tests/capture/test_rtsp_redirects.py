"""RTSP servers that send their readers elsewhere, or on and on."""

import pytest

from camfleet_capture.errors import SourceFault, SourceMissing
from camfleet_capture.sources.live import open_network
from camfleet_capture.sources.redirects import is_endless
from fakes_rtsp import RefusingCamera
from serving_thread import in_thread

LOGIN = 'WWW-Authenticate: Digest realm="door", nonce="a1"'


@pytest.mark.parametrize("wants_login", [False, True], ids=["anybody", "who logs in"])
def test_camera_that_sends_its_readers_in_circles_says_so_and_is_left_alone_until_it_is_mended(
    monkeypatch: pytest.MonkeyPatch, *, wants_login: bool
) -> None:
    def send_on(lines: list[str]) -> list[str]:
        if wants_login and not any(line.startswith("Authorization") for line in lines):
            return ["401 Unauthorized", LOGIN]
        return ["302 Moved", f"Location: {camera.url}"]

    monkeypatch.setattr("camfleet_capture.sources.container.OPEN_TIMEOUT_S", 0.5)
    with in_thread(RefusingCamera(send_on)) as camera:
        address = camera.url.replace("//", "//admin:se%40cret@")
        with pytest.raises(SourceMissing, match=r"/door: sends its readers on and on") as caught:
            open_network(address)
        before = camera.connections
        assert caught.value.still_holds()
        assert camera.connections - before <= 5
        camera.answer = lambda _lines: ["404 Not Found"]
        assert not caught.value.still_holds()
        with pytest.raises(SourceFault, match="no such path"):
            open_network(camera.url)
    assert "cret" not in str(caught.value)


def test_a_password_is_told_to_no_other_host() -> None:
    told: list[str] = []

    def note(lines: list[str]) -> list[str]:
        told.extend(line for line in lines if line.startswith("Authorization"))
        return ["401 Unauthorized", 'WWW-Authenticate: Basic realm="door"']

    with in_thread(RefusingCamera(note)) as other:
        elsewhere = other.url.replace("127.0.0.1", "localhost")
        with in_thread(RefusingCamera(lambda _: ["302 Moved", f"Location: {elsewhere}"])) as camera:
            assert not is_endless(camera.url.replace("//", "//admin:secret@"))
    assert other.connections == 1
    assert told == []
