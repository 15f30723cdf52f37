"""TensorRT up to its border: a fake that refuses what the vendor refuses stands for the GPU."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from camfleet_server.reload.loading import load_servable, warm_up
from camfleet_server.runtimes.base import LoadError, Servable, VendorMissing
from camfleet_server.runtimes.table import Runtimes
from camfleet_server.types import TensorSpec
from fake_tensorrt import Gpu, install
from loaded_models import answer, source_of

FIXED = {
    "tensors": [
        {"name": "images", "mode": "INPUT", "dtype": "FLOAT", "shape": [1, 3, 4, 6]},
        {"name": "output0", "mode": "OUTPUT", "dtype": "HALF", "shape": [1, 72]},
    ],
    "factor": 2,
}
OPEN = {
    "tensors": [
        {
            "name": "images",
            "mode": "INPUT",
            "dtype": "FLOAT",
            "shape": [-1, 8],
            "profile": [[1, 8], [2, 8], [4, 8]],
        },
        {"name": "output0", "mode": "OUTPUT", "dtype": "FLOAT", "shape": [-1, 8]},
    ],
    "factor": 3,
}


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> Gpu:
    gpu = Gpu()
    install(monkeypatch, gpu)
    return gpu


def load_engine(folder: Path, told: dict[str, Any], **manifest: Any) -> Servable:
    (folder / "m.engine").write_text(json.dumps(told))
    return load_servable(source_of(folder, manifest), Runtimes())


def test_an_engine_is_served_with_its_names_types_and_shapes(tmp_path: Path, gpu: Gpu) -> None:
    servable = load_engine(tmp_path, FIXED)
    warm_up(servable, runs=servable.slots)
    assert servable.platform == "TensorRT"
    assert servable.device == "CUDA"
    assert servable.inputs == (TensorSpec("images", "FP32", (1, 3, 4, 6)),)
    assert servable.outputs == (TensorSpec("output0", "FP16", (1, 72)),)
    images = np.random.default_rng(1).random((1, 3, 4, 6), np.float32)
    expected = (2 * images).reshape(1, 72).astype(np.float16)
    np.testing.assert_array_equal(answer(servable, images)[0], expected)


def test_open_batches_are_bounded_by_the_profile_and_may_be_put_together(
    tmp_path: Path, gpu: Gpu
) -> None:
    servable = load_engine(tmp_path, OPEN, batching={"max_batch_size": 4})
    assert servable.inputs[0].ranges == {0: (1, 4)}
    for rows in (1, 4, 2):
        images = np.random.default_rng(rows).random((rows, 8), np.float32)
        np.testing.assert_array_equal(answer(servable, images)[0], 3 * images)


def test_closing_gives_all_memory_and_streams_back(tmp_path: Path, gpu: Gpu) -> None:
    servable = load_engine(tmp_path, FIXED)
    warm_up(servable, runs=servable.slots)
    assert len(gpu.memory) == 2 * servable.slots
    servable.close()
    assert not gpu.memory
    assert not gpu.streams


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"no_memory": True}, "no memory for another context"),
        ({"tensors": FIXED["tensors"][1:]}, "m.engine: the engine has no inputs"),  # type: ignore[index] # a table
    ],
)
def test_engines_that_cannot_run_are_refused(
    tmp_path: Path, gpu: Gpu, changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(LoadError, match=reason):
        load_engine(tmp_path, FIXED | changes)


def test_an_engine_of_another_version_is_refused_in_the_words_of_tensorrt(
    tmp_path: Path, gpu: Gpu
) -> None:
    (tmp_path / "m.plan").write_bytes(b"ftrt of another version")
    with pytest.raises(LoadError, match=r"m\.plan cannot be read by TensorRT 10\.0: .*magicTag"):
        load_servable(source_of(tmp_path), Runtimes())


def test_types_and_shapes_that_cannot_be_served_are_refused(tmp_path: Path, gpu: Gpu) -> None:
    eight_bits = json.loads(json.dumps(FIXED).replace("HALF", "FP8"))
    with pytest.raises(LoadError, match="'output0' has type FP8"):
        load_engine(tmp_path, eight_bits)
    depends = json.loads(json.dumps(OPEN))
    depends["tensors"][1]["depends"] = True
    with pytest.raises(LoadError, match="depends on what is seen"):
        warm_up(load_engine(tmp_path, depends), runs=1)


def test_memory_that_the_gpu_does_not_have_is_a_reason(tmp_path: Path, gpu: Gpu) -> None:
    large = json.loads(json.dumps(OPEN).replace("[-1, 8]", "[1, 300000000]"))
    with pytest.raises(LoadError, match="CUDA error 2: out of memory"):
        warm_up(load_engine(tmp_path, large), runs=1)


def test_without_a_gpu_the_model_is_refused_and_other_runtimes_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, Gpu(count=0))
    with pytest.raises(VendorMissing, match="no CUDA-capable device is detected"):
        Runtimes().get("tensorrt")
    with pytest.raises(LoadError, match="no NVIDIA GPU answers"):
        load_engine(tmp_path, FIXED)


def test_without_the_library_the_reason_names_it(
    tmp_path: Path, gpu: Gpu, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tensorrt", None)
    (tmp_path / "m.trt").write_bytes(b"engine")
    with pytest.raises(LoadError, match=r"runtime .tensorrt. is not installed here: .*tensorrt"):
        load_servable(source_of(tmp_path), Runtimes())
