"""How many cameras a box carries, worked out from what was measured on it."""

import io
from dataclasses import replace
from pathlib import Path

import av
import pytest

from camfleet.cli.capacity.estimate import Costs, capacity, usable_cores
from camfleet.cli.capacity.films import make_film
from camfleet.cli.capacity.measuring import InferenceCost, decoding_ms, first_picture, tracking_ms

COSTS = Costs(
    decode_ms=2.0,
    reference_decode_ms=2.0,
    inference=InferenceCost(client_ms=1.0, server_ms=10.0, answer_ms=6.0),
    track_ms=1.0,
)


def test_stages_of_a_camera_add_up() -> None:
    found = capacity("720p15", COSTS, fps=5, cores=2)
    expected = 15 * 2 + 5 * (10 + 1 + 1 + 0.8) + 8.0 * 2
    assert found.camera_ms_s == pytest.approx(expected)
    assert found.cameras == int(1400 / expected)


@pytest.mark.parametrize(
    ("fps", "bottleneck"), [(1, "decoding"), (10, "inference")], ids=["slow", "quick"]
)
def test_the_stage_that_takes_most_is_named(fps: float, bottleneck: str) -> None:
    assert capacity("720p15", COSTS, fps, cores=2).bottleneck == bottleneck


def test_server_on_another_machine_costs_nothing_here() -> None:
    elsewhere = replace(COSTS, inference=replace(COSTS.inference, server_ms=None))
    assert elsewhere.stages(5)["inference"] == 0


def test_quota_of_a_container_counts(tmp_path: Path) -> None:
    quota = tmp_path / "cpu.max"
    quota.write_text("50000 100000\n")
    assert usable_cores(quota) == 0.5
    quota.write_text("max 100000\n")
    assert usable_cores(quota) == usable_cores(tmp_path / "missing") >= 1


def test_film_is_what_cameras_send() -> None:
    film = make_film("small", 320, 192, 200_000)
    picture = first_picture(film)
    assert (picture.width, picture.height) == (320, 192)
    with av.open(io.BytesIO(film.content), "r") as container:
        assert container.streams.video[0].codec_context.name == "h264"
    assert decoding_ms(film, 0.05) > 0


def test_tracking_costs_something() -> None:
    assert tracking_ms(5.0, 0.1) > 0
