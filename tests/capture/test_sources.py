"""Sources of every kind: what they show, and what they say when they cannot be opened."""

import os
import shutil
import socket
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import get_args

import av
import numpy as np
import pytest
from PIL import Image

from camfleet_capture.errors import SourceFault, SourceMissing, SourceStalled, SourceUnreadable
from camfleet_capture.sources import table
from camfleet_capture.sources.clock import LiveClock
from camfleet_capture.sources.live import open_network
from camfleet_capture.sources.table import SourceAddress, open_source
from camfleet_contracts.cameras import SourceKind
from camfleet_contracts.redaction import redact
from fakes_capture import (
    FPS,
    LENGTH,
    camera_lines,
    capture_running,
    number_of,
    numbered_picture,
    read_numbers,
    read_with_wall_times,
    write_clip,
)
from waiting import wait_until


def open_file(path: Path) -> None:
    open_source(SourceAddress(str(path), path.parent)).close()


def test_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(SourceMissing, match=r"file clip\.mp4: not there"):
        open_file(tmp_path / "clip.mp4")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"a text that is not a film\n" * 100, id="text"),
        pytest.param(b"ffconcat version 1.0\nfile /etc/passwd\n", id="concat list"),
        pytest.param(bytes(range(256)) * 64, id="binary"),
    ],
)
@pytest.mark.parametrize("name", ["clip.mp4", "clip.txt"])
def test_file_that_is_no_video_says_so(tmp_path: Path, content: bytes, name: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceUnreadable, match=name):
        open_file(tmp_path / name)


@pytest.mark.parametrize("look", ["exists", "is_dir"])
def test_file_that_may_not_be_looked_at_says_so(
    tmp_path: Path, clip: Path, monkeypatch: pytest.MonkeyPatch, look: str
) -> None:
    def refuse(path: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(path))

    def refuse_to_open(url: str, **_: object) -> None:
        raise PermissionError(13, "Permission denied", url)

    address = SourceAddress(clip.name, clip.parent)
    monkeypatch.setattr(f"camfleet_capture.sources.table.Path.{look}", refuse)
    monkeypatch.setattr("camfleet_capture.sources.container.av.open", refuse_to_open)
    with pytest.raises(SourceMissing, match=r"file plain\.mp4: no permission to read it"):
        open_source(address)


def test_named_pipe_is_refused_without_waiting_for_its_writer(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "live.ts")
    with pytest.raises(SourceUnreadable, match=r"file live\.ts: is a named pipe, .*; name a file"):
        open_file(tmp_path / "live.ts")


def test_truncated_clip_says_so(tmp_path: Path, clip: Path) -> None:
    (tmp_path / "cut.mp4").write_bytes(clip.read_bytes()[:-400])
    with pytest.raises(SourceUnreadable, match=r"file cut\.mp4: not a video this build can read"):
        open_file(tmp_path / "cut.mp4")


def test_file_without_video_says_so(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "sound.mp4"), "w") as container:
        sound = container.add_stream("aac", rate=16_000)
        silence = np.zeros((2, 1024), np.float32)
        frame = av.AudioFrame.from_ndarray(silence, format="fltp", layout="stereo")
        frame.sample_rate = 16_000
        container.mux(sound.encode(frame))
        container.mux(sound.encode(None))
    with pytest.raises(SourceUnreadable, match="holds no video"):
        open_file(tmp_path / "sound.mp4")


def test_file_of_an_unknown_kind_of_video_is_told_in_words(tmp_path: Path, clip: Path) -> None:
    unknown = tmp_path / "unknown.mp4"
    unknown.write_bytes(clip.read_bytes().replace(b"avc1", b"zzz1"))
    with pytest.raises(SourceUnreadable, match="none that this build can read"):
        open_file(unknown)


@pytest.mark.parametrize(
    "source", ["concat:a.mp4|b.mp4", "lavfi:testsrc", "subfile,,start,0,end,9,,:a", "pipe:0"]
)
def test_names_that_libav_would_take_for_protocols_are_only_files(
    tmp_path: Path, source: str
) -> None:
    with pytest.raises(SourceMissing):
        open_source(SourceAddress(source, tmp_path))


def test_dead_camera_is_named_without_its_password() -> None:
    with pytest.raises(SourceFault) as caught:
        open_network("rtsp://127.0.0.1:9/cam", ("admin", "pa:ss@word"))
    assert "rtsp://127.0.0.1:9/cam" in str(caught.value)
    assert "pa" not in str(caught.value).replace("path", "")
    assert not caught.value.host_answers


def test_camera_that_accepts_and_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("camfleet_capture.sources.container.OPEN_TIMEOUT_S", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"rtsp://u:pass@127.0.0.1:{silent.getsockname()[1]}/cam"
        with pytest.raises(SourceStalled, match="no answer in 1 s") as caught:
            open_network(url)
    assert "pass" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("rtsp://u:p@h/x", "rtsp://***@h/x"),
        ("http://h/v?user=a&password=b&x=1", "http://h/v?user=a&password=***&x=1"),
        ("open RTSPS://u:p%40q@h failed: rtsp://v:w@k", "open RTSPS://***@h failed: rtsp://***@k"),
        ("rtsp://h/x", "rtsp://h/x"),
        ("rtsp://u:p@q r@h/x: refused; write to me@x", "rtsp://***@h/x: refused; write to me@x"),
        ("rtsp://u:p#q@h/x and rtsp://u:p/q@h/x", "rtsp://***@h/x and rtsp://***@h/x"),
        ("http://h:8080/a@b", "http://h:8080/a@b"),
        ("rtsp://h: no answer; write to me@x", "rtsp://h: no answer; write to me@x"),
    ],
)
def test_redact_takes_every_password(text: str, redacted: str) -> None:
    assert redact(text) == redacted


def test_live_clock_keeps_true_distances_and_starts_anew_after_a_jump() -> None:
    clock = LiveClock()
    late = [0.0, 0.05, 0.01, 0.2, 0.0]
    placed = [clock.place(5 + n / 10, 100 + n / 10 + late[n]) for n in range(5)]
    assert [ticks - placed[0][0] for ticks, _ in placed] == [0, 9000, 18000, 27000, 36000]
    assert all(abs(shown - 100 - n / 10) < 0.01 for n, (_, shown) in enumerate(placed))
    ticks, shown = clock.place(1.0, 110.0)
    assert (ticks, shown) == (110 * 90_000, 110.0)


def test_a_film_is_called_by_its_codec_not_by_what_decodes_it(tmp_path: Path) -> None:
    scheduling = os.sched_getscheduler(0), os.sched_getparam(0)
    film = write_clip(tmp_path / "clip.mkv", codec="libsvtav1", pictures=3)
    os.sched_setscheduler(0, *scheduling)  # SVT-AV1 makes root's thread a real-time one
    source = open_source(SourceAddress(str(film), tmp_path))
    source.close()
    assert source.details.codec == "av1 to h264"


def test_film_that_is_cut_off_in_its_head_says_so(tmp_path: Path) -> None:
    whole = write_clip(tmp_path / "clip.mkv").read_bytes()
    (tmp_path / "clip.mkv").write_bytes(whole[:100])
    with pytest.raises(SourceUnreadable, match=r"clip\.mkv: is cut off, or its disk cannot be"):
        open_source(SourceAddress("clip.mkv", tmp_path))


def test_camera_of_another_capture_is_copied_and_comes_back(tmp_path: Path, clip: Path) -> None:
    near, far = tmp_path / "near", tmp_path / "far"
    near.mkdir()
    far.mkdir()
    (far / "cameras.yaml").write_text(camera_lines(one=str(clip)))
    with capture_running(far / "cameras.yaml") as remote:
        remote.wait_for("one", "LIVE")
        (near / "cameras.yaml").write_text(camera_lines(relay=remote.url("one")))
        with capture_running(near / "cameras.yaml") as relay:
            assert relay.wait_for("relay", "LIVE")["codec"] == "h264"
            numbers = read_numbers(relay.url("relay"), LENGTH + 10).numbers
            (far / "cameras.yaml").write_text("version: 1\ncameras: []\n")
            lost = wait_until(
                lambda: (s := relay.state("relay"))["state"] != "LIVE" and s, 60, "camera lost"
            )
            wait_until(
                lambda: relay.get("/cameras/relay/snapshot.jpg").status_code == 503,
                60,
                "no picture",
            )
            (far / "cameras.yaml").write_text(camera_lines(one=str(clip)))
            back = relay.wait_for("relay", "LIVE")
    assert all(b == (a + 1) % LENGTH for a, b in pairwise(numbers))
    assert lost["reason"]
    assert back["reconnects"] >= 1


def test_broken_file_heals_when_it_is_replaced_and_fails_when_it_goes(
    tmp_path: Path, clip: Path
) -> None:
    source = tmp_path / "clip.mp4"
    source.write_text("not a film")
    file = tmp_path / "cameras.yaml"
    file.write_text(camera_lines(one="clip.mp4", other=str(clip)))
    with capture_running(file) as capture:
        broken = capture.wait_for("one", "FAILED")
        shutil.copy(clip, tmp_path / "new.mp4")
        (tmp_path / "new.mp4").rename(source)
        capture.wait_for("one", "LIVE")
        source.unlink()
        gone = capture.wait_for("one", "FAILED")
        assert capture.state("other")["state"] == "LIVE"
        assert capture.state("other")["reconnects"] == 0
    assert "file clip.mp4: not a video this build can read" in broken["reason"]
    assert "not there" in gone["reason"]


@pytest.mark.alone
@pytest.mark.parametrize(
    ("agent", "tolerance_s"),
    [
        pytest.param("camfleet", 0.02, id="our reader"),
        pytest.param("test", 0.15, id="libav mistakes the next unit's time for this one's"),
    ],
)
def test_wall_clock_of_pictures_counts_from_loop_started_at(
    tmp_path: Path, b_clip: Path, agent: str, tolerance_s: float
) -> None:
    file = tmp_path / "cameras.yaml"
    file.write_text(camera_lines(one=str(b_clip)))
    with capture_running(file) as capture:
        wait_until(lambda: capture.state("one")["loops"] >= 1, 60, "second round")
        shown = read_with_wall_times(capture.url("one"), 45, agent)
        started = datetime.fromisoformat(capture.state("one")["loop_started_at"]).timestamp()
    lags = [(wall - started - number_of(frame) / FPS) % (LENGTH / FPS) for frame, wall in shown]
    assert len(shown) > 30
    assert max(min(lag, LENGTH / FPS - lag) for lag in lags) < tolerance_s


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_source_that_is_not_to_loop_ends_once_and_says_so(
    tmp_path: Path, clip: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("camfleet_capture.sources.image_folder.SHOWN_S", 0.4)
    folder = tmp_path / "images"
    folder.mkdir()
    Image.fromarray(numbered_picture(3)).save(folder / "3.png")
    file = tmp_path / "cameras.yaml"
    source = clip if kind == "file" else folder
    file.write_text(camera_lines(one=str(source)) + "    capture: {loop: false}\n")
    with capture_running(file) as capture:
        ended = capture.wait_for("one", "FAILED")
    assert "to its end (loop: false)" in ended["reason"]
    assert (ended["loops"], ended["reconnects"]) == (0, 0)
    assert ended["frames"] in ({LENGTH} if kind == "file" else {1, 2})


def test_every_kind_of_source_has_its_opener_and_the_rest_is_v4l2() -> None:
    assert set(table._OPENERS) == set(get_args(SourceKind)) - {"v4l2", "auto"}
