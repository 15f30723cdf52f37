"""Films of formats that tell no times, or none of the pictures that are decoded out of order."""

from itertools import pairwise
from pathlib import Path
from threading import Event

import av
import pytest

from camfleet_capture.access_unit import CLOCK_HZ
from camfleet_capture.coding.decoding import open_decoder
from camfleet_capture.sources.video_file import VideoFile
from fakes_capture import FPS, LENGTH, number_of, write_clip

FILMS = [
    pytest.param("film.h264", "libx264", id="h264"),
    pytest.param("film.h265", "libx265", id="h265"),
    pytest.param("film.avi", "libx264", id="avi"),
]


def shown(film: Path, until: int) -> tuple[str, list[tuple[int, float]]]:
    """Return what is done to a film, and number and time of its first pictures as a reader sees."""
    source = VideoFile(film, real_time=False)
    units = source.units(Event())
    seen: list[tuple[int, float]] = []
    decoder = None
    while len(seen) < until:
        unit = next(units)
        decoder = decoder or open_decoder(unit.codec)
        packet = av.Packet(unit.coded())
        packet.pts = unit.ticks
        seen += [
            (number_of(frame), (frame.pts or 0) / CLOCK_HZ) for frame in decoder.decode(packet)
        ]
    source.close()
    return source.details.codec, seen


@pytest.mark.parametrize(("name", "codec"), FILMS)
@pytest.mark.parametrize("b_frames", [0, 2])
def test_pictures_show_in_their_order_at_the_films_own_rate(
    tmp_path: Path, name: str, codec: str, b_frames: int
) -> None:
    film = write_clip(tmp_path / name, codec=codec, b_frames=b_frames)
    told, seen = shown(film, 2 * LENGTH + 5)
    numbers, times_s = zip(*seen, strict=True)
    assert all(later == (number + 1) % LENGTH for number, later in pairwise(numbers))
    assert [b - a for a, b in pairwise(times_s)] == pytest.approx(
        [1 / FPS] * (len(seen) - 1), abs=1e-4
    )
    assert ("its B pictures have no times" in told) == bool(b_frames)


def test_pictures_that_cannot_be_decoded_do_not_delay_the_others(tmp_path: Path) -> None:
    film = write_clip(tmp_path / "film.avi", b_frames=2)
    spoilt = bytearray(film.read_bytes())
    starts = [at for at in range(len(spoilt)) if spoilt.startswith(b"\0\0\1A", at)]
    for start in starts[2:5]:
        spoilt[start + 4 : start + 12] = bytes(8)
    film.write_bytes(spoilt)
    _, seen = shown(film, 2 * LENGTH - 8)
    middles_s = [time_s for number, time_s in seen if number == LENGTH // 2]
    assert middles_s[1] - middles_s[0] == pytest.approx(LENGTH / FPS, abs=1e-4)
    assert middles_s[0] - seen[0][1] == pytest.approx(LENGTH // 2 / FPS, abs=1e-4)


def test_a_film_that_is_cut_off_within_a_picture_is_shown_up_to_there(tmp_path: Path) -> None:
    whole = write_clip(tmp_path / "film.h265", codec="libx265", b_frames=2).read_bytes()
    for size in range(len(whole) // 2, len(whole), 7):
        film = tmp_path / "cut.h265"
        film.write_bytes(whole[:size])
        _, seen = shown(film, 8)
        assert [number for number, _ in seen[:8]] == [*range(8)]
