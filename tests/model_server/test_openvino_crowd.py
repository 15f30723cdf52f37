"""A model is compiled a second time when a crowd comes: in the background, with equal answers."""

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from camfleet_contracts.datatypes import get_datatype
from camfleet_contracts.model_manifest import ModelManifest, Preprocess
from camfleet_contracts.serving_config import ModelConfig
from camfleet_contracts.volume import publish_version
from camfleet_server.cpu_share import CpuShare
from camfleet_server.reload import crowd_compiler
from camfleet_server.reload.crowd_compiler import Crowd, CrowdCompiler, is_ever_fast
from camfleet_server.reload.loading import load_servable
from camfleet_server.runtimes.base import (
    AlreadyClosed,
    LoadError,
    ModelSource,
    PictureInput,
    Servable,
    ServesCrowds,
)
from camfleet_server.runtimes.openvino.api import ov
from camfleet_server.runtimes.openvino.compile import Compiler
from camfleet_server.runtimes.table import Runtimes
from camfleet_server.serving.scheduler import Scheduler
from camfleet_server.types import InferRequest, Tensors
from model_volume import Volume, opset, running_core, save_adder
from waiting import wait_until

RUNTIMES = Runtimes()
PREPROCESS = {"size": (32, 32), "layout": "NCHW"}


@pytest.fixture(scope="module")
def slow_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two convolutions of some 10 million operations: long enough to be worth streams."""
    folder = tmp_path_factory.mktemp("slow")
    generator = np.random.default_rng(11)
    x = opset.parameter([1, 3, 32, 32], np.float32, name="x")
    x.output(0).set_names({"x"})
    y = x
    for channels in (3, 64, 64):
        kernel = generator.normal(size=(64, channels, 3, 3)).astype(np.float32) / 8
        y = opset.relu(opset.convolution(y, opset.constant(kernel), [1, 1], [1, 1], [1, 1], [1, 1]))
    y.output(0).set_names({"y"})
    ov.save_model(ov.Model([y], [x], "slow"), folder / "model.xml", compress_to_fp16=False)
    return folder


def _source(folder: Path, manifest: dict[str, Any] | None = None, **settings: Any) -> ModelSource:
    config = ModelConfig(name="model", base_path=folder, **settings)
    return ModelSource("model", 1, folder, config, ModelManifest.model_validate(manifest or {}))


def _load(folder: Path, manifest: dict[str, Any] | None = None, **settings: Any) -> ServesCrowds:
    servable = load_servable(_source(folder, manifest, **settings), RUNTIMES)
    assert isinstance(servable, ServesCrowds)
    return servable


def _frame(servable: Servable) -> Tensors:
    shape = servable.inputs[0].shape
    return {servable.inputs[0].name: np.random.default_rng(2).random(shape, np.float32)}


@pytest.fixture
def compiler() -> Iterator[CrowdCompiler]:
    compiler = CrowdCompiler()
    compiler.start()
    yield compiler
    compiler.stop(30)
    assert not compiler.is_compiling


@pytest.mark.parametrize(
    "path",
    [
        "fastestdet-coco/FastestDet.onnx",
        "mobilenet-v1-025-128-quant/mobilenet_v1_0.25_128_quant.tflite",
    ],
    ids=["floats", "quantised"],
)
def test_both_compilations_answer_as_the_file_does(shared_data: Path, path: str) -> None:
    file = shared_data / "models" / path
    servable = _load(file)
    wanted = tuple(spec.name for spec in servable.outputs)
    kind = get_datatype(servable.inputs[0].datatype, "").dtype
    pixels = np.random.default_rng(2).integers(0, 255, servable.inputs[0].shape)
    frame: Tensors = {servable.inputs[0].name: pixels.astype(kind)}
    alone = servable.infer(frame, wanted)
    servable.hand_over_crowd(servable.compile_for_crowd())
    together = servable.infer(frame, wanted, in_crowd=True)
    plain = ov.Core().compile_model(file, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    expected = plain(list(frame.values()))
    for number, name in enumerate(wanted):
        np.testing.assert_allclose(alone[name], expected[number], rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(together[name], expected[number], rtol=1e-4, atol=1e-5)


def test_crowd_asks_once_and_is_served_meanwhile(slow_model: Path) -> None:
    servable = _load(slow_model)
    asked: list[Servable] = []
    servable.on_crowd = asked.append
    for _ in range(3):
        assert servable.infer(_frame(servable), ("y",), in_crowd=True)["y"].any()
    assert asked == [servable]


@pytest.mark.parametrize(
    "properties",
    [{"PERFORMANCE_HINT": "THROUGHPUT"}, {"NUM_STREAMS": 2}, {"INFERENCE_NUM_THREADS": 1}],
    ids=["hint", "streams", "threads"],
)
def test_plugin_config_that_decides_by_itself_leaves_one_compilation(
    slow_model: Path, properties: dict[str, Any]
) -> None:
    servable = _load(slow_model, plugin_config=properties)
    asked: list[Servable] = []
    servable.on_crowd = asked.append
    servable.infer(_frame(servable), ("y",), in_crowd=True)
    assert asked == []
    with pytest.raises(LoadError):
        servable.compile_for_crowd()


def test_nireq_bounds_both_compilations(slow_model: Path) -> None:
    servable = _load(slow_model, nireq=5)
    assert (servable.slots, servable.compile_for_crowd().slots) == (5, 5)


def test_compilation_that_ends_after_the_model_was_closed_is_dropped(slow_model: Path) -> None:
    servable = _load(slow_model)
    crowd = servable.compile_for_crowd()
    servable.close()
    servable.hand_over_crowd(crowd)
    with pytest.raises(AlreadyClosed):
        crowd.infer(_frame(servable), ("y",))
    with pytest.raises(AlreadyClosed):
        servable.compile_for_crowd()


def test_more_requests_than_warmed_up_find_one_of_their_own(slow_model: Path) -> None:
    servable = _load(slow_model, nireq=1)
    with ThreadPoolExecutor(4) as threads:
        frames = [_frame(servable)] * 8
        answers = list(threads.map(lambda frame: servable.infer(frame, ("y",))["y"], frames))
    for answer in answers[1:]:
        np.testing.assert_array_equal(answer, answers[0])


def test_compiler_hands_over_and_widens(
    slow_model: Path, compiler: CrowdCompiler, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    servable, scheduler = _load(slow_model), Scheduler("model", 1, 8)
    compiler.submit(Crowd(_source(slow_model), scheduler, servable))
    wait_until(lambda: "THROUGHPUT compiled" in caplog.text, 60, "the compilation")
    assert scheduler.slots >= 2


@pytest.mark.parametrize(
    ("times_us", "expected", "tries"),
    [([20], True, 1), ([400] * 60 + [20], True, 61), ([400], False, 100), ([9000], False, 5)],
    ids=["fast", "held up by the crowd", "slower", "much slower"],
)
def test_a_crowd_that_holds_it_up_makes_no_fast_model_slow(
    times_us: list[int], expected: bool, tries: int
) -> None:
    now_s = 0.0
    taken: list[int] = []

    def infer() -> None:
        nonlocal now_s
        taken.append(times_us[min(len(taken), len(times_us) - 1)])
        now_s += taken[-1] / 1e6

    assert (is_ever_fast(infer, lambda: now_s), len(taken)) == (expected, tries)


def test_what_is_faster_than_a_hand_over_between_streams_stays_as_it_is(
    tmp_path: Path,
    compiler: CrowdCompiler,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(crowd_compiler, "_WORTHWHILE_S", 60.0)  # however busy the machine is
    caplog.set_level(logging.INFO)
    save_adder(tmp_path, 1)
    scheduler = Scheduler("model", 1, 8)
    compiler.submit(Crowd(_source(tmp_path), scheduler, _load(tmp_path)))
    wait_until(lambda: "too fast for streams" in caplog.text, 60, "the decision")
    assert scheduler.slots == 1


def test_failed_compilation_is_told_once_and_the_first_goes_on(
    slow_model: Path, compiler: CrowdCompiler, caplog: pytest.LogCaptureFixture
) -> None:
    servable = _load(slow_model, plugin_config={"NUM_STREAMS": 1})
    compiler.submit(Crowd(_source(slow_model), Scheduler("model", 1, 8), servable))
    wait_until(lambda: "crowds stay with the LATENCY" in caplog.text, 60, "the warning")
    assert servable.infer(_frame(servable), ("y",), in_crowd=True)["y"].any()


def test_pictures_have_a_crowd_of_their_own(slow_model: Path) -> None:
    servable: Any = _load(slow_model, {"preprocess": PREPROCESS})
    asked: list[Servable] = []
    servable.on_crowd = asked.append
    pictures = _pictures_of(servable)
    pixels: Tensors = {"x": np.zeros((1, 32, 32, 3), np.uint8)}
    pictures.infer(pixels, ("y",), in_crowd=True)
    assert asked == [pictures]
    pictures.hand_over_crowd(pictures.compile_for_crowd())
    np.testing.assert_array_equal(
        pictures.infer(pixels, ("y",), in_crowd=True)["y"], pictures.infer(pixels, ("y",))["y"]
    )


def _pictures_of(servable: Any) -> Any:
    preprocess = Preprocess.model_validate(PREPROCESS)
    return servable.image_servable(PictureInput("x", (1, 32, 32, 3), preprocess))


@pytest.mark.parametrize(
    ("share", "threads"), [(CpuShare(8, 1.0), 1), (CpuShare(8), None)], ids=["quota", "none"]
)
def test_quota_below_the_cores_limits_the_threads_of_the_runtime(
    slow_model: Path, share: CpuShare, threads: int | None
) -> None:
    core = ov.Core()
    compiler = Compiler(core, share)
    model = core.read_model(slow_model / "model.xml")
    compiled = compiler.compile(model, slow_model / "model.xml", _source(slow_model)).model
    expected = threads or core.compile_model(model, "CPU").get_property("INFERENCE_NUM_THREADS")
    assert compiled.get_property("INFERENCE_NUM_THREADS") == expected


def test_one_thread_is_one_stream_and_needs_no_second_compilation(slow_model: Path) -> None:
    core = ov.Core()
    model = core.read_model(slow_model / "model.xml")
    compiler = Compiler(core, CpuShare(8, 0.5))
    compiled = compiler.compile(model, slow_model / "model.xml", _source(slow_model))
    assert compiled.for_crowd is None


def _ask_in_a_crowd(core: Any, frame: Tensors, times: int) -> set[bytes]:
    request = InferRequest("slow", frame)
    with ThreadPoolExecutor(6) as threads:
        answers = threads.map(lambda _: core.plane.infer(request).outputs["y"], range(times))
        return {np.round(answer, 3).tobytes() for answer in answers}


def test_crowd_at_the_server_gets_a_throughput_compilation(
    tmp_path: Path, slow_model: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    volume = Volume(tmp_path)
    volume.serve("slow")
    publish_version(tmp_path, "slow", 1, lambda folder: _copy(slow_model, folder))
    with running_core(volume) as core:
        core.wait_for("slow", 1)
        frame: Tensors = {"x": np.ones((1, 3, 32, 32), np.float32)}
        before = _ask_in_a_crowd(core, frame, 60)
        wait_until(lambda: "THROUGHPUT compiled" in caplog.text, 60, "the compilation")
        assert _ask_in_a_crowd(core, frame, 60) == before


def test_server_told_to_leave_it_compiles_nothing_for_crowds(slow_model: Path) -> None:
    source = replace(_source(slow_model), for_crowds=False)
    servable = load_servable(source, RUNTIMES)
    assert isinstance(servable, ServesCrowds)
    with pytest.raises(LoadError):
        servable.compile_for_crowd()


def _copy(source: Path, target: Path) -> None:
    target.mkdir(exist_ok=True)
    for file in source.iterdir():
        (target / file.name).write_bytes(file.read_bytes())
