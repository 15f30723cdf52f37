"""Which models can be batched, and that their answers are those of each request alone."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from camfleet_contracts.model_manifest import BadManifest, ModelManifest, parse_manifest
from camfleet_contracts.serving_config import ModelConfig
from camfleet_server.reload.loading import load_servable
from camfleet_server.runtimes.base import LoadError, ModelSource, Servable
from camfleet_server.runtimes.openvino.api import ov
from camfleet_server.runtimes.table import Runtimes
from camfleet_server.serving.batching import BatchedInference
from camfleet_server.serving.scheduler import Scheduler
from model_volume import Volume, opset, running_core, save_adder
from occupied_scheduler import request_of

RUNTIMES = Runtimes()


BATCHING = {"max_batch_size": 8}


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(12) as pool:
        yield pool


def _load(folder: Path, batching: dict[str, int], **settings: Any) -> Servable:
    config = ModelConfig(name="model", base_path=folder, **settings)
    manifest = ModelManifest.model_validate({"batching": batching})
    return load_servable(ModelSource("model", 1, folder, config, manifest), RUNTIMES)


def _save_convolution(folder: Path) -> None:
    kernel = np.random.default_rng(3).normal(size=(4, 3, 3, 3)).astype(np.float32)
    x = opset.parameter([1, 3, 12, 12], np.float32, name="x")
    x.output(0).set_names({"x"})
    y = opset.relu(opset.convolution(x, opset.constant(kernel), [1, 1], [1, 1], [1, 1], [1, 1]))
    y.output(0).set_names({"y"})
    ov.save_model(ov.Model([y], [x], "convolution"), folder / "model.xml", compress_to_fp16=False)


def test_batched_answers_of_a_convolution_are_those_of_each_alone(
    tmp_path: Path, threads: ThreadPoolExecutor
) -> None:
    _save_convolution(tmp_path)
    servable = _load(tmp_path, BATCHING)
    assert servable.inputs[0].shape == (-1, 3, 12, 12)
    inference = BatchedInference(Scheduler("model", 1, 64), 8, 0.002)
    generator = np.random.default_rng(5)
    frames = [generator.random((rows, 3, 12, 12), np.float32) for rows in (1, 2, 3, 4) * 6]
    done = list(
        threads.map(
            lambda frame: inference.infer(request_of(), servable, {"x": frame}, ("y",)), frames
        )
    )
    for frame, answer in zip(frames, done, strict=True):
        alone = servable.infer({"x": frame}, ("y",))["y"]
        np.testing.assert_allclose(answer.outputs["y"], alone, rtol=1e-5, atol=1e-6)


def test_batching_of_model_json_is_what_the_server_does(tmp_path: Path) -> None:
    volume = Volume(tmp_path)
    volume.serve("adder")
    volume.publish_adder("adder", 1, addend=1, batching=BATCHING)
    with running_core(volume) as core:
        core.wait_for("adder", 1)
        assert core.plane.model_metadata("adder").inputs[0].shape == (-1, 4)
        assert core.add("adder") == 1


def test_batch_that_config_json_fixes_is_refused(tmp_path: Path) -> None:
    save_adder(tmp_path, 1)
    with pytest.raises(LoadError, match="`batch_size` in config"):
        _load(tmp_path, BATCHING, batch_size=4)


def test_model_whose_output_does_not_follow_the_batch_is_refused(tmp_path: Path) -> None:
    x = opset.parameter([1, 4], np.float32, name="x")
    x.output(0).set_names({"x"})
    y = opset.reduce_sum(x, np.array([0]), keep_dims=True)
    y.output(0).set_names({"y"})
    ov.save_model(ov.Model([y], [x], "sum"), tmp_path / "model.xml")
    with pytest.raises(LoadError, match="does not follow that of the inputs"):
        _load(tmp_path, BATCHING)


def test_model_that_computes_with_a_fixed_batch_is_refused(shared_data: Path) -> None:
    with pytest.raises(LoadError, match="batching: "):
        _load(shared_data / "models" / "ssd-mobilenet-v1-coco-quant" / "ir", BATCHING)


@pytest.mark.parametrize(
    "batching",
    [{}, {"max_batch_size": 1}, {"max_batch_size": 8, "max_queue_delay_us": -1}],
    ids=["no size", "size of one", "negative delay"],
)
def test_manifest_with_impossible_batching_is_refused(batching: dict[str, int]) -> None:
    with pytest.raises(BadManifest, match="batching"):
        parse_manifest({"batching": batching}, where="model.json")
