"""A tiny model infers in one thread where that takes no longer; what decides is measured."""

from collections.abc import Callable, Iterable
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from camfleet_contracts.model_manifest import ModelManifest
from camfleet_contracts.serving_config import ModelConfig
from camfleet_server.runtimes.base import ChoosesThreads, ModelSource
from camfleet_server.runtimes.openvino.runtime import OpenVinoRuntime
from camfleet_server.runtimes.openvino.servable import OpenVinoServable
from camfleet_server.runtimes.openvino.threads import is_no_slower, is_tiny
from model_volume import save_adder

ZEROS = {"x": np.zeros((1, 4), np.float32)}


class Clock:
    """Time that goes on by what an inference takes."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s

    def taking(self, *times_us: float) -> Callable[[], None]:
        """An inference that takes these times, again and again."""
        return self._in_turn(cycle(times_us))

    def _in_turn(self, times_us: Iterable[float]) -> Callable[[], None]:
        turns = iter(times_us)

        def infer() -> None:
            self.now_s += next(turns) / 1e6

        return infer


@pytest.mark.parametrize(
    ("times_us", "expected"),
    [([200], True), ([900, 250], True), ([400], False), ([50_000, 100], False)],
    ids=["quick", "held up once", "too long", "hopeless"],
)
def test_what_is_over_at_once_is_tiny(times_us: list[float], expected: bool) -> None:
    clock = Clock()
    assert is_tiny(clock.taking(*times_us), clock) is expected


def test_a_slow_model_is_tried_once_only() -> None:
    clock = Clock()
    assert not is_tiny(clock.taking(200_000), clock)
    assert clock.now_s == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("one_us", "all_us", "expected"),
    [([102], [100], True), ([150], [100], False), ([900, 95], [100, 700], True)],
    ids=["as fast", "slower", "others disturb"],
)
def test_one_thread_must_not_be_slower(
    one_us: list[float], all_us: list[float], expected: bool
) -> None:
    clock = Clock()
    assert is_no_slower(clock.taking(*one_us), clock.taking(*all_us), clock) is expected


def _loaded(folder: Path, **settings: Any) -> OpenVinoServable:
    save_adder(folder, 3)
    config = ModelConfig(name="adder", base_path=folder, **settings)
    servable = OpenVinoRuntime().load(ModelSource("adder", 1, folder, config, ModelManifest()))
    assert isinstance(servable, ChoosesThreads)
    return servable


def _threads(servable: OpenVinoServable) -> int:
    assert servable._compiled is not None
    return int(servable._compiled.model.get_property("INFERENCE_NUM_THREADS"))


@pytest.mark.parametrize("is_faster", [True, False])
def test_the_faster_compilation_stays_and_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_faster: bool
) -> None:
    where = "camfleet_server.runtimes.openvino.servable"
    monkeypatch.setattr(f"{where}.is_tiny", lambda _: True)
    monkeypatch.setattr(f"{where}.is_no_slower", lambda *_: is_faster)
    servable = _loaded(tmp_path)
    threads_before, slots = _threads(servable), servable.slots
    servable.choose_threads(ZEROS)
    assert _threads(servable) == (1 if is_faster else threads_before)
    assert servable.slots == slots
    assert servable.infer(ZEROS, ("y",))["y"].tolist() == [[3, 3, 3, 3]]


def test_plugin_config_that_sets_threads_goes_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("camfleet_server.runtimes.openvino.servable.is_tiny", None)
    servable = _loaded(tmp_path, plugin_config={"INFERENCE_NUM_THREADS": 2})
    servable.choose_threads(ZEROS)
    assert _threads(servable) == 2


def test_threads_may_run_on_any_core_unless_plugin_config_binds_them(tmp_path: Path) -> None:
    for name, config, expected in (("a", {}, False), ("b", {"ENABLE_CPU_PINNING": "YES"}, True)):
        compiled = _loaded(tmp_path / name, plugin_config=config)._compiled
        assert compiled is not None
        assert compiled.for_crowd is not None
        for model in (compiled.model, compiled.for_crowd()):
            assert model.get_property("ENABLE_CPU_PINNING") is expected
