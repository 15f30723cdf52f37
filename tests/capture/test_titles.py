"""Titles of films and cameras may be of any encoding."""

from itertools import pairwise
from pathlib import Path

import pytest

from camfleet_capture.rtsp.requests import format_response
from camfleet_capture.sources.table import SourceAddress, open_source
from fakes_capture import LENGTH, camera_lines, capture_running, read_numbers, write_clip


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "avi", "flv"])
def test_film_that_tells_of_itself_in_another_encoding_is_played(
    tmp_path: Path, suffix: str
) -> None:
    film = write_clip(tmp_path / f"film.{suffix}", pictures=3)
    film.write_bytes(film.read_bytes().replace(b"Lavf", b"L\xfcvf"))  # who has written it
    opened = open_source(SourceAddress(str(film), tmp_path))
    opened.close()
    assert opened.details.codec == "h264"


def test_camera_with_a_name_of_another_encoding_is_read(
    tmp_path: Path, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def respond(*arguments: object) -> bytes:
        answer = format_response(*arguments)  # type: ignore[arg-type]  # passed on as they are
        return answer.replace(b"s=tower", b"s=t\xfcrme")

    monkeypatch.setattr("camfleet_capture.rtsp.connection.format_response", respond)
    near, far = tmp_path / "near", tmp_path / "far"
    near.mkdir()
    far.mkdir()
    (far / "cameras.yaml").write_text(camera_lines(tower=str(clip)))
    with capture_running(far / "cameras.yaml") as remote:
        remote.wait_for("tower", "LIVE")
        (near / "cameras.yaml").write_text(camera_lines(relay=remote.url("tower")))
        with capture_running(near / "cameras.yaml") as relay:
            relay.wait_for("relay", "LIVE")
            monkeypatch.undo()
            numbers = read_numbers(relay.url("relay"), 10).numbers
    assert all(later == (number + 1) % LENGTH for number, later in pairwise(numbers))
