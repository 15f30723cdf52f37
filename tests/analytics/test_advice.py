"""What `camfleet camera advise` makes of a camera's costs."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from camfleet.cli.advice.alternatives import Alternatives, alternatives_to
from camfleet.cli.advice.fleet_costs import CameraCosts, ServerCosts
from camfleet.cli.advice.rules import Advice, advise
from camfleet.cli.advice.stillness import Stillness
from camfleet_contracts.settings import read_settings

ROOT = Path(__file__).parents[2]
LINE = {"name": "gate"}
PIPELINE = {"fps": 10.0, "motion": False, "lines": [LINE], "zones": [], "results_rate": 5.0}
SERVER = ServerCosts(100.0, {"big": 10.0}, {"big": 8.0})
HALF_STILL = Stillness(looked=100, still=50, key_frame_s=2.0)
CAMERA = CameraCosts(
    name="door",
    settings={"source": "rtsp://10.0.0.5/live", "detect_source": None, "pipeline": PIPELINE},
    status={"model": {"name": "big"}, "width": 1280, "height": 720},
    reader_ms_s=50.0,
    decode_ms_s=40.0,
    pipeline_ms_s=30.0,
    decoded_s=15.0,
    analysed_s=10.0,
    asked_s=10.0,
    still_s=0.0,
    inference_ms=10.0,
)


def with_pipeline(**changed: Any) -> CameraCosts:
    return replace(CAMERA, settings={**CAMERA.settings, "pipeline": PIPELINE | changed})


def hint(costs: CameraCosts, change: str, seen: Stillness | None = HALF_STILL) -> Advice | None:
    return next((one for one in advise(costs, seen, SERVER) if one.change.startswith(change)), None)


def saving(costs: CameraCosts, change: str) -> float | None:
    found = hint(costs, change)
    assert found is not None
    return found.saves_ms_s


def test_lower_rate_saves_pipeline_and_inference() -> None:
    assert saving(CAMERA, "fps: 5") == pytest.approx(5 * (3 + 10))


def test_rate_at_which_lines_are_counted_stays() -> None:
    assert hint(with_pipeline(fps=5.0), "fps") is None
    assert hint(with_pipeline(fps=5.0, lines=[]), "fps: 2.5") is not None


def test_motion_gate_saves_inference_while_it_is_still() -> None:
    assert saving(CAMERA, "motion: true") == pytest.approx(10 * 0.5 * 10)
    assert hint(with_pipeline(motion=True), "motion: true") is None


def test_motion_gate_is_unknown_until_somebody_looked() -> None:
    found = hint(CAMERA, "motion: true", seen=None)
    assert found is not None
    assert found.saves_ms_s is None
    assert "unknown" in found.because


def test_picture_that_always_moves_needs_no_gate() -> None:
    assert hint(CAMERA, "motion: true", Stillness(looked=100, still=2)) is None


def test_rest_saves_decoding_less_the_key_frames() -> None:
    expected = 40 * 0.5 * (1 - 1 / 30)
    assert saving(CAMERA, "motion: true, idle") == pytest.approx(expected)


def test_rest_goes_by_what_the_gate_has_seen() -> None:
    gated = replace(with_pipeline(motion=True), still_s=8.0, asked_s=2.0)
    assert saving(gated, "motion: true, idle") == pytest.approx(40 * 0.8 * (1 - 1 / 30))


def test_sub_stream_saves_decoding_by_its_pixels() -> None:
    assert saving(CAMERA, "detect_source") == pytest.approx(40 * 0.75)
    file = replace(CAMERA, settings={**CAMERA.settings, "source": "clip.mp4"})
    assert hint(file, "detect_source") is None


def test_what_is_done_to_a_reader_that_others_share_is_to_be_done_by_all() -> None:
    shared = replace(CAMERA, status={**CAMERA.status, "reads_with": ["yard", "gate"]})
    for change in ("motion: true, idle", "detect_source"):
        found, alone = hint(shared, change), hint(CAMERA, change)
        assert found is not None
        assert found.because.endswith("; together with yard, gate, which its reader serves too")
        assert alone is not None
        assert "together" not in alone.because


def test_quicker_model_is_one_the_server_has_measured() -> None:
    server = ServerCosts(100.0, {"big": 10.0, "small": 10.0}, {"big": 8.0, "small": 2.0})
    costs = replace(CAMERA, inference_ms=server.processor_ms("big"))
    [found] = [one for one in advise(costs, None, server) if one.change == "model: small"]
    assert found.saves_ms_s == pytest.approx(10 * (8 - 2))


def test_models_nobody_measured_are_not_guessed_at() -> None:
    found = hint(CAMERA, "model")
    assert found is not None
    assert found.saves_ms_s is None


def test_smaller_models_of_the_catalogue_are_named() -> None:
    found = advise(CAMERA, None, SERVER, Alternatives(smaller=("small",)))
    assert [one.saves_ms_s for one in found if one.change == "model: small"] == [None]


def test_one_thread_is_advised_where_nobody_chose() -> None:
    changes = [one.change for one in advise(CAMERA, None, SERVER, Alternatives((), False))]
    assert any("INFERENCE_NUM_THREADS" in change for change in changes)
    assert not any("THREADS" in one.change for one in advise(CAMERA, None, SERVER))


def test_the_volume_tells_of_smaller_models_and_of_threads(tmp_path: Path) -> None:
    shutil.copy(ROOT / "models" / "catalog.json", tmp_path)
    model = {"name": "yunet-n", "base_path": "yunet-n"}
    write_config(tmp_path, model)
    settings = read_settings(models_dir=tmp_path)
    assert alternatives_to(settings, "yolo-fastest-1.1-coco").smaller == ("fastestdet-coco",)
    assert not alternatives_to(settings, "yunet-n").has_threads_set
    write_config(tmp_path, model | {"plugin_config": {"INFERENCE_NUM_THREADS": "1"}})
    assert alternatives_to(settings, "yunet-n").has_threads_set


def write_config(folder: Path, model: dict[str, Any]) -> None:
    document = {"model_config_list": [{"config": model}]}
    (folder / "config.json").write_text(json.dumps(document))


def test_without_figures_of_the_server_its_part_is_unknown() -> None:
    costs = replace(CAMERA, inference_ms=None)
    unknown = {one.change for one in advise(costs, HALF_STILL, None) if one.saves_ms_s is None}
    assert {"fps: 5", "motion: true"} <= unknown
    assert costs.total_ms_s == 80


def test_what_saves_most_comes_first() -> None:
    savings = [one.saves_ms_s or 0 for one in advise(CAMERA, HALF_STILL, SERVER)]
    assert savings == sorted(savings, reverse=True)
