"""Batches that config.json opens and the graph has baked in: found at load, not by a client."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from baked_models import BAKED_IN, save_baked
from camfleet_server.runtimes.base import LoadError
from loaded_models import answer, load, save_scaler


@pytest.fixture
def baked(tmp_path: Path) -> Path:
    return save_baked(tmp_path / "model.onnx")


@pytest.mark.parametrize("wish", [{"batch_size": "auto"}, {"shape": "auto"}], ids=str)
def test_auto_serves_the_batch_that_is_baked_in(baked: Path, wish: dict[str, Any]) -> None:
    servable = load(baked, "openvino", **wish)
    assert servable.inputs[0].shape == (1, 4, 6)
    assert answer(servable, np.ones((1, 4, 6), np.float32))[0].shape == (1, 24)


@pytest.mark.parametrize("batch", [1, "N"], ids=["opened", "open"])
def test_baked_in_batch_is_found_where_inference_in_one_thread_would_not_fail(
    tmp_path: Path, batch: int | str
) -> None:
    model = save_baked(tmp_path / "model.onnx", batch)
    threads = {"INFERENCE_NUM_THREADS": 1}  # as on one core, where wrong answers came
    servable = load(model, "openvino", batch_size="auto", plugin_config=threads)
    assert servable.inputs[0].shape == (1, 4, 6)
    assert answer(servable, np.ones((1, 4, 6), np.float32))[0].tolist() == [[1.0] * 24]


@pytest.mark.parametrize("file", BAKED_IN)
def test_auto_serves_real_models_with_their_own_batch(shared_data: Path, file: str) -> None:
    servable = load(shared_data / "models" / file, "openvino", batch_size="auto")
    assert servable.inputs[0].shape[0] == 1


def test_file_that_leaves_a_baked_in_batch_open_is_served_with_one_row(tmp_path: Path) -> None:
    servable = load(save_baked(tmp_path / "model.onnx", batch="N"), "openvino")
    assert servable.inputs[0].shape == (1, 4, 6)


@pytest.mark.parametrize(
    "wish",
    [
        {"batch_size": "1:8"},
        {"batch_size": "-1"},
        {"batch_size": "2"},
        {"shape": "(-1,4,6)"},
        {"manifest": {"batching": {"max_batch_size": 4}}},
    ],
    ids=str,
)
def test_more_than_the_baked_in_batch_is_refused_with_a_way_out(
    baked: Path, wish: dict[str, Any]
) -> None:
    (key,) = wish
    with pytest.raises(LoadError, match=r"batch") as refused:
        load(baked, "openvino", **wish)
    assert ("batching" if key == "manifest" else key) in str(refused.value)
    assert "remove" in str(refused.value) or "take `batching` out" in str(refused.value)


@pytest.mark.parametrize(
    "wish", [{"batch_size": "auto"}, {"batch_size": "1:8"}, {"shape": "(-1,3,4,6)"}], ids=str
)
def test_batch_stays_open_where_the_graph_follows(tmp_path: Path, wish: dict[str, Any]) -> None:
    servable = load(save_scaler(tmp_path / "model.onnx"), "openvino", **wish)
    assert answer(servable, np.ones((5, 3, 4, 6), np.float32))[0].shape == (5, 3, 4, 6)
