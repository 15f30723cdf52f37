"""Files and folders that are sent as fast as their readers take them."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import av
import pytest
from PIL import Image

from camfleet_contracts.cameras_file import BadCameras, parse_cameras
from fakes_capture import (
    FPS,
    RunningCapture,
    camera_lines,
    capture_running,
    number_of,
    numbered_picture,
    read_numbers,
    reading_options,
    write_clip,
)
from fakes_rtsp import Client
from fakes_streams import write_textured_stream
from waiting import wait_until

FILM = 20 * FPS  # pictures
SLIDES, EVERY_S = 120, 0.5  # pictures, and how far they are apart
ONCE = "    capture: {loop: false, real_time: false}\n"
ENDLESS = "    capture: {real_time: false}\n"


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty seconds with B pictures."""
    return write_clip(tmp_path_factory.mktemp("films") / "film.mp4", pictures=FILM, b_frames=2)


@contextmanager
def showing(folder: Path, source: Path, how: str) -> Iterator[RunningCapture]:
    file = folder / "cameras.yaml"
    file.write_text(camera_lines(film=str(source)) + how)
    with capture_running(file) as capture:
        capture.wait_for("film", "LIVE")
        yield capture


@pytest.mark.parametrize("agent", ["camfleet", "test"])
def test_reader_gets_every_picture_in_less_than_the_films_time(tmp_path: Path, agent: str) -> None:
    slides = write_clip(tmp_path / "film.mp4", pictures=SLIDES, fps=round(1 / EVERY_S), b_frames=2)
    with showing(tmp_path, slides, ONCE) as capture:
        began = time.monotonic()
        seen = read_numbers(capture.url("film"), SLIDES, agent=agent)
        took_s = time.monotonic() - began
        ended = capture.wait_for("film", "FAILED")
    assert seen.numbers == [*range(SLIDES)]
    assert took_s < SLIDES * EVERY_S  # a minute
    assert seen.times_s[-1] - seen.times_s[0] == pytest.approx((SLIDES - 1) * EVERY_S, abs=0.001)
    assert "played to its end (loop: false)" in ended["reason"]


def test_film_waits_for_its_first_reader(tmp_path: Path, film: Path) -> None:
    with showing(tmp_path, film, ONCE) as capture:
        waiting = wait_until(lambda: capture.state("film")["reason"], 60, "the reason")
        frames = capture.state("film")["frames"]
        seen = read_numbers(capture.url("film"), FILM)
    assert waiting == "waits for a reader (real_time: false)"
    assert frames == 1
    assert seen.numbers == [*range(FILM)]


def test_reader_is_told_that_the_film_is_over(tmp_path: Path, film: Path) -> None:
    with showing(tmp_path, film, ONCE) as capture:
        url, options = capture.url("film"), reading_options()
        with av.open(url, options=options, timeout=(60, 60)) as container:
            numbers = [number_of(frame) for frame in container.decode(video=0)]
            wait_until(lambda: not capture.state("film")["readers"], 60, "no reader")
    assert numbers == [*range(FILM)]


def test_slow_reader_holds_the_film_up_and_loses_nothing(tmp_path: Path) -> None:
    big = write_textured_stream(tmp_path / "big.ts")
    with showing(tmp_path, big, ENDLESS) as capture, Client(capture.rtsp_port) as slow:
        slow.play(capture.url("film"))
        wait_until(lambda: "slow" in (capture.state("film")["reason"] or ""), 60, "held up")
        held = capture.state("film")
        sequence = [rtp_sequence(slow) for _ in range(3000)]
        gone_on = wait_until(
            lambda: capture.state("film")["frames"] > held["frames"], 60, "the film goes on"
        )
    assert held["state"] == "LIVE"
    assert gone_on
    steps = {(after - before) & 0xFFFF for before, after in pairwise(sequence)}
    assert steps == {1}


def rtp_sequence(client: Client) -> int:
    channel, packet = client.frame()
    while channel != 0:
        channel, packet = client.frame()
    return int.from_bytes(packet[2:4])


def test_film_in_a_loop_goes_on_in_one_time(tmp_path: Path, clip: Path) -> None:
    with showing(tmp_path, clip, ENDLESS) as capture:
        seen = read_numbers(capture.url("film"), 100)
        held = capture.state("film")
    assert seen.numbers == [number % FPS for number in range(100)]
    assert seen.times_s[-1] - seen.times_s[0] == pytest.approx(99 / FPS, abs=0.01)
    assert held["loops"] >= 3


def test_every_image_of_a_folder_is_shown_once(tmp_path: Path) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    for number in range(20):
        Image.fromarray(numbered_picture(number)).save(folder / f"{number:02d}.png")
    with showing(tmp_path, folder, ONCE) as capture:
        seen = read_numbers(capture.url("film"), 20)
    assert seen.numbers == [*range(20)]
    assert seen.times_s[-1] - seen.times_s[0] == pytest.approx(19, abs=0.001)


@pytest.mark.parametrize(
    ("path", "how", "pix_fmt"),
    [
        pytest.param("film-h264", ONCE, "yuv422p", id="path for browsers"),
        pytest.param("film", ONCE + "    transcode: always\n", "yuv420p", id="always"),
        pytest.param("film", ONCE.replace("}", ", rotation: 180}"), "yuv420p", id="turned"),
    ],
)
def test_encoding_leaves_no_picture_out(tmp_path: Path, path: str, how: str, pix_fmt: str) -> None:
    film = write_clip(tmp_path / "film.mp4", pictures=FILM, pix_fmt=pix_fmt, b_frames=2)
    with showing(tmp_path, film, how) as capture:
        url, options = capture.url(path), reading_options()
        with av.open(url, options=options, timeout=(60, 60)) as container:
            frames = [*container.decode(video=0)]
    assert len(frames) == FILM
    assert len({number_of(frame) for frame in frames}) == FILM


def test_edit_ends_a_film_that_waits(tmp_path: Path, film: Path) -> None:
    with showing(tmp_path, film, ONCE) as capture:
        capture.file.write_text("cameras: []\n")
        wait_until(lambda: capture.get("/cameras/film").status_code == 404, 60, "it is gone")


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        pytest.param("source: 'rtsp://u:secret@h/x'", "rtsp://***@h/x waits for nobody", id="rtsp"),
        pytest.param("source: /dev/video0", "/dev/video0 waits for nobody", id="device"),
        pytest.param("source: 'demo:street'", "for files and folders", id="scene"),
        pytest.param("source: x.mp4, detect_source: 'rtsp://h/y'", "rtsp://h/y", id="sub-stream"),
        pytest.param("source: x.mp4, recording: {}", "take recording out", id="recording"),
    ],
)
def test_what_cannot_wait_is_refused_with_line_and_camera(entry: str, message: str) -> None:
    text = f"cameras:\n\n  - {{name: door, {entry}, capture: {{real_time: false}}}}\n"
    with pytest.raises(BadCameras) as caught:
        parse_cameras(text, path=Path("cameras.yaml"))
    assert str(caught.value).startswith("cameras.yaml:3: camera 'door': ")
    assert message in str(caught.value)
    assert "secret" not in str(caught.value)
