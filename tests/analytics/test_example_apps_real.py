"""The applications of docs/examples on real clips through a real server, beside what is known."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from camfleet.testing import AppRun, run_app
from real_server import model_server, volume_of

pytestmark = pytest.mark.long

MODELS = ("fastestdet-coco", "yolo-fastest-1.1-coco", "movenet-lightning")
FRAMES = 460  # of the clip with six visits: two of them
NEAR = 12  # frames by which a small detector sees a visit begin or end elsewhere


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, repository: Path, shared_data: Path
) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("examples")
    with model_server(volume_of(folder, repository, shared_data, MODELS), MODELS) as (_, address):
        yield address


@pytest.fixture
def examples(repository: Path, server: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CAMFLEET_SERVER", server)
    return repository / "docs" / "examples"


@pytest.fixture
def clips(shared_data: Path) -> Path:
    return shared_data / "media" / "clips"


def truth_of(shared_data: Path, clip: str) -> Any:
    return json.loads((shared_data / "expected" / f"clip-{clip}.json").read_text())


def test_the_counter_finds_the_vehicles_that_passed_and_no_other(
    examples: Path, clips: Path, shared_data: Path, tmp_path: Path
) -> None:
    """Two words of the example are changed: no clip shows people who cross, and is known."""
    script = (examples / "people-counter" / "app.py").read_text()
    changed = script.replace('["person"]', '["car", "truck", "bus"]')
    (tmp_path / "app.py").write_text(changed.replace(MODELS[0], MODELS[1]))
    run = run_app(tmp_path / "app.py", clips / "highway-a-320x240.mp4", stop_after=FRAMES)
    crossings = truth_of(shared_data, "highway-a-320x240")["crossings"]
    passed = [way for frame, way, _ in crossings if frame < FRAMES]
    assert passed == ["down"] * 5
    assert run.texts[-1] == [str({"in": 5, "out": 0})]
    assert len(run.published) == 5


def test_the_counter_counts_nobody_who_walks_on_one_side_of_the_line(
    examples: Path, clips: Path
) -> None:
    run = run_app(examples / "people-counter" / "app.py", clips / "worker-zone-480x270.mp4")
    assert len(run.texts) == 71
    assert run.texts[-1] == [str({"in": 0, "out": 0})]
    assert run.published == []


def test_somebody_who_walks_upright_is_not_told_to_be_bent_over(
    examples: Path, clips: Path
) -> None:
    run = run_app(examples / "posture-check" / "app.py", clips / "worker-zone-480x270.mp4")
    leans = [int(lean.removesuffix("°")) for _, *leans in run.texts for lean in leans]
    assert {text[0] for text in run.texts} == {"upright"}
    assert len(leans) > 35  # seen in half of the frames at least
    assert sorted(leans)[len(leans) // 2] < 15
    assert run.published == []


def test_the_zones_are_occupied_while_somebody_is_there(
    examples: Path, clips: Path, shared_data: Path
) -> None:
    clip = clips / "one-by-one-768x432.mp4"
    run = run_app(examples / "zone-occupancy" / "app.py", clip, clip, stop_after=FRAMES)
    first, second = truth_of(shared_data, "one-by-one-768x432")["visits"][:2]
    inside = [sum(occupancy_of(run, frame).values()) for frame in range(FRAMES)]
    present = [
        frame for begins, ends in (first, second) for frame in range(begins + NEAR, ends - NEAR)
    ]
    away = [
        *range(first[0] - NEAR),
        *range(first[1] + NEAR, second[0] - NEAR),
    ]
    assert sum(inside[frame] == 1 for frame in present) > 0.97 * len(present)
    assert all(inside[frame] == 0 for frame in away)
    told = [packet["results"]["value"] for packet in run.published]
    assert max(told) <= 2


def occupancy_of(run: AppRun, frame: int) -> dict[str, int]:
    """The zones of the first camera, as the page's line says it."""
    found = re.fullmatch(r"entrance: (\{.*\})", run.texts[frame][0])
    assert found is not None
    occupancy: dict[str, int] = ast.literal_eval(found.group(1))
    return occupancy
