"""The RTSP reader against a real capture service."""

import threading
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from camera_readers import CountingSink, capturing, next_frame, reading
from camfleet.video.addresses import RefusedAddress, check_address, with_default_login
from camfleet.video.backoff import Backoff
from camfleet.video.connection import ReaderState
from camfleet.video.lag import Lag
from camfleet.video.reader import CameraReader, rtsp
from camfleet_contracts.redaction import redact
from fakes_capture import FPS, camera_lines, capture_running, number_of, write_clip
from fakes_odd_camera import Habits, odd_camera, over_udp_alone, pictures_of
from waiting import wait_until


def test_frames_are_new_and_carry_the_time_of_capture(tmp_path: Path) -> None:
    sink = CountingSink()
    with capturing(tmp_path) as (_, port), reading(port, sink) as reader:
        first = next_frame(reader)
        wait_until(lambda: reader.counts.decoded > 30, 60, "two seconds of frames")
        last = next_frame(reader)
        age_s = (datetime.now(UTC) - last.captured_at).total_seconds()
        assert reader.connection.state is ReaderState.LIVE
    assert first.size == (640, 360)
    assert last.pts_s > first.pts_s
    assert -0.1 < age_s < 30  # by the wall clock, whatever the machine has to do beside
    assert sink.streams == ["h264"]
    assert sink.packets >= 30
    assert sink.ends == 1


def test_film_that_waits_is_read_without_leaving_a_frame_out(tmp_path: Path) -> None:
    clip, file = write_clip(tmp_path / "film.mp4", pictures=300, b_frames=2), tmp_path / "film.yaml"
    file.write_text(camera_lines(film=str(clip)) + "    capture: {loop: false, real_time: false}\n")
    with capture_running(file) as capture:
        opened_at = datetime.fromisoformat(capture.wait_for("film", "LIVE")["loop_started_at"])
        with reading(capture.rtsp_port, CountingSink(), "film", real_time=False) as reader:
            frames = [next_frame(reader) for _ in range(300)]
            wait_until(lambda: reader.connection.state is not ReaderState.LIVE, 60, "its end")
        assert reader.counts.decoded == 300
    assert [number_of(one.picture) for one in frames] == [*range(300)]
    since_s = [(one.captured_at - opened_at).total_seconds() for one in frames]
    assert since_s[2:] == pytest.approx([number / FPS for number in range(2, 300)], abs=0.1)


def test_killed_capture_is_a_stall_and_its_return_heals(tmp_path: Path) -> None:
    sink = CountingSink()
    with capturing(tmp_path) as (service, port), reading(port, sink) as reader:
        next_frame(reader)
        service.stop()
        wait_until(lambda: reader.connection.state is not ReaderState.LIVE, 60, "the loss")
        with capturing(tmp_path, port):
            wait_until(lambda: reader.connection.state is ReaderState.LIVE, 60, "the return")
            assert wait_until(lambda: reader.slot.take(0.1), 60, "a frame").connection == 2


def test_a_camera_that_sends_over_udp_alone_is_read(tmp_path: Path) -> None:
    pictures = pictures_of(write_clip(tmp_path / "clip.mp4"))
    with odd_camera(pictures, Habits(refuse=over_udp_alone)) as camera:
        port = urlsplit(camera.url).port or 0
        with reading(port, CountingSink(), "live") as reader:
            assert next_frame(reader).size == (320, 64)


def test_missing_path_says_where_to_look(tmp_path: Path) -> None:
    with capturing(tmp_path) as (_, port), reading(port, CountingSink(), "attic") as reader:
        wait_until(lambda: reader.connection.reason, 60, "the reason")
        assert "(404)" in str(reader.connection.reason)
        assert reader.connection.state is ReaderState.FAILED


def test_nobody_there_is_said_and_tried_again() -> None:
    with reading(1, CountingSink()) as reader:
        wait_until(lambda: reader.connection.reason, 60, "the reason")
        assert "is capture running?" in str(reader.connection.reason)


def test_wrong_scheme_is_refused_without_opening_it(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("nothing for a video player")
    reader = CameraReader("x", rtsp(lambda: f"file://{secret}"), CountingSink())
    reader.start()
    wait_until(lambda: reader.connection.state is ReaderState.FAILED, 60, "the refusal")
    reader.stop(10)
    assert "begins with rtsp://" in str(reader.connection.reason)


@pytest.mark.parametrize(
    "address", ["file:///etc/passwd", "concat:a|b", "http://h/x", "lavfi:testsrc", "rtsp://", "x"]
)
def test_only_streams_may_be_opened(address: str) -> None:
    with pytest.raises(RefusedAddress):
        check_address(address)


def test_passwords_do_not_reach_the_log() -> None:
    text = "cannot open rtsp://me:s3cret@10.0.0.1/x and rtsps://u:p@h/y"
    assert redact(text) == "cannot open rtsp://***@10.0.0.1/x and rtsps://***@h/y"


def test_credentials_are_quoted_and_do_not_replace_given_ones() -> None:
    assert with_default_login("rtsp://h/x", ("me", "p@ss/1")) == "rtsp://me:p%40ss%2F1@h/x"
    assert with_default_login("rtsp://a:b@h/x", ("me", "no")) == "rtsp://a:b@h/x"


def test_waits_grow_and_are_short_while_the_host_answers() -> None:
    backoff = Backoff()
    assert max(backoff.next_s() for _ in range(10)) <= 2.4
    for _ in range(10):
        backoff.host_is_silent()
        last_s = backoff.next_s()
    assert 24 <= last_s <= 36
    backoff.reset()
    assert backoff.next_s() <= 0.3


def test_backlog_is_late_and_live_frames_are_not() -> None:
    lag = Lag()
    assert [lag.of(n / 10, 100 + n / 10) for n in range(5)] == [0] * 5
    assert lag.of(0.5, 103.5) == pytest.approx(3.0, abs=0.01)
    assert lag.of(3.4, 103.5) == pytest.approx(0.1, abs=0.01)


def test_a_camera_clock_that_stays_behind_is_looked_at_again() -> None:
    lag = Lag()
    on_time = [lag.is_late(n / 10, 100 + n / 10) for n in range(10)]
    behind = [lag.is_late(1 + n / 10, 103 + n / 10) for n in range(60)]
    assert not any(on_time)
    assert all(behind[:30])
    assert not any(behind[31:])


def test_drifting_clock_does_not_make_frames_late() -> None:
    lag = Lag()
    late = [lag.of(n * 0.9999, float(n)) for n in range(0, 100_000, 10)]
    assert max(late) < 0.1


def test_reader_that_waits_for_a_camera_can_be_stopped() -> None:
    reader = CameraReader("x", rtsp(lambda: "rtsp://127.0.0.1:1/x"), CountingSink())
    reader.start()
    reader.stop(5)
    assert "reader-x" not in {thread.name for thread in threading.enumerate()}
