"""One client sends what breaks a model; the other must not notice."""

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import pytest
import tritonclient.grpc as triton
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from baked_models import BAKED_IN, save_baked
from camfleet_server.serving.durability import Durability
from loaded_models import save_graph
from model_volume import Volume
from processes import Service, running

SHAPES = {"fastestdet-coco": (3, 352, 352), "mobilenet-v2-imagenet-quant": (224, 224, 3)}
ROUNDS = 12
LOAD_LIMIT_S = 240  # three models, each tried in another process first
KNOWN = (("x", "f", (1, 4)),)


def save_one_size(path: Path) -> None:
    """Save a model that takes any height and answers 4 only, where no trial can know it."""
    sizes = numpy_helper.from_array(np.array([1, 24], np.int64), "sizes")
    nodes = [
        helper.make_node("Relu", ["x"], ["positive"]),
        helper.make_node("Reshape", ["positive", "sizes"], ["y"]),
    ]
    ends = [
        helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, "H", 6]),
        helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 24]),
    ]
    save_graph(path, helper.make_graph(nodes, "one-size", ends[:1], ends[1:], [sizes]))


def save_by_values(path: Path) -> None:
    """Save a model that takes as many rows as its largest value says and answers 4 only.

    No shape tells that.
    """
    constants = {"zero": [0], "one": [1], "sizes": [1, 24]}
    nodes = [
        helper.make_node("Relu", ["x"], ["positive"]),
        helper.make_node("ReduceMax", ["positive"], ["most"], keepdims=0),
        helper.make_node("Cast", ["most"], ["number"], to=TensorProto.INT64),
        helper.make_node("Reshape", ["number", "one"], ["rows"]),
        helper.make_node("Slice", ["positive", "zero", "rows", "one"], ["part"]),
        helper.make_node("Relu", ["part"], ["taken"]),
        helper.make_node("Reshape", ["taken", "sizes"], ["y"]),
    ]
    ends = [
        helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, "H", 6]),
        helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 24]),
    ]
    given = [numpy_helper.from_array(np.array(v, np.int64), name) for name, v in constants.items()]
    save_graph(path, helper.make_graph(nodes, "by-values", ends[:1], ends[1:], given))


def rows(count: int, value: int) -> NDArray[np.float32]:
    """An input of the two models above."""
    return np.full((1, count, 6), value, np.float32)


class Served:
    """A running server and two clients of it."""

    def __init__(self, service: Service) -> None:
        self.service = service
        address = service.logged(r"grpc=(\S+)").group(1)
        self.rest = service.logged(r"rest=(\S+)").group(1)
        self.good, self.bad = (triton.InferenceServerClient(address) for _ in range(2))

    def ask(
        self, client: triton.InferenceServerClient, model: str, array: NDArray[np.generic]
    ) -> NDArray[np.generic]:
        metadata = client.get_model_metadata(model)
        kind = metadata.inputs[0].datatype
        given = triton.InferInput(metadata.inputs[0].name, list(array.shape), kind)
        given.set_data_from_numpy(array)
        answer: NDArray[np.generic] = client.infer(model, [given]).as_numpy(
            metadata.outputs[0].name
        )
        return answer

    def ask_badly(self, model: str, array: NDArray[np.generic]) -> list[str]:
        """Send it again and again; returns the codes of the answers."""
        codes = []
        for _ in range(ROUNDS):
            with pytest.raises(triton.InferenceServerException) as refused:
                self.ask(self.bad, model, array)
            codes.append(str(refused.value.status()))
        return codes

    def ask_both(
        self, model: str, good: NDArray[np.generic], bad: NDArray[np.generic]
    ) -> list[str]:
        """Send both at the same time; the good one is always answered, and with the same."""
        expected = self.ask(self.good, model, good)
        with ThreadPoolExecutor(1) as pool:
            codes = pool.submit(self.ask_badly, model, bad)
            for _ in range(ROUNDS):
                np.testing.assert_array_equal(self.ask(self.good, model, good), expected)
            told = codes.result()
        np.testing.assert_array_equal(self.ask(self.good, model, good), expected)
        return told


@pytest.fixture(scope="module")
def volume(tmp_path_factory: pytest.TempPathFactory) -> Volume:
    volume = Volume(tmp_path_factory.mktemp("volume"))
    save_baked(volume.root / "baked" / "1" / "model.onnx")
    save_one_size(volume.root / "one-size" / "1" / "model.onnx")
    volume.serve("baked", batch_size="auto")
    volume.serve("one-size")
    save_by_values(volume.root / "by-values" / "1" / "model.onnx")
    volume.serve("by-values")
    save_one_size(volume.root / "never-broken" / "1" / "model.onnx")
    (volume.root / "never-broken" / "1" / "model.json").write_text('{"runtimes": ["onnxruntime"]}')
    volume.serve("never-broken")
    return volume


def _running(volume: Volume, *names: str) -> Iterator[Served]:
    ports = ["--port", "auto", "--rest_port", "auto", "--cache_dir", str(volume.root / ".cache")]
    with running("camfleet-server", "--config_path", str(volume.config_path), *ports) as service:
        for name in names:
            service.logged(f"version available model={name} version=1", LOAD_LIMIT_S)
        served = Served(service)
        yield served
        served.good.close()
        served.bad.close()


@pytest.fixture(scope="module")
def served(volume: Volume) -> Iterator[Served]:
    yield from _running(volume, *volume.models)


@pytest.fixture(scope="module")
def served_real(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    volume = Volume(tmp_path_factory.mktemp("real"))
    for file in BAKED_IN:
        name = Path(file).parent.name
        (volume.root / name / "1").mkdir(parents=True)
        shutil.copy(shared_data / "models" / file, volume.root / name / "1")
        volume.serve(name, batch_size="auto")
    detector = shared_data / "models" / BAKED_IN[0]
    volume.serve("any-size", base_path=str(detector), shape="(1,3,-1,-1)")
    yield from _running(volume, *volume.models)


def test_batch_that_is_baked_in_is_refused_before_it_is_inferred(served: Served) -> None:
    good, bad = (np.ones((rows, 4, 6), np.float32) for rows in (1, 2))
    assert set(served.ask_both("baked", good, bad)) == {"StatusCode.INVALID_ARGUMENT"}


@pytest.mark.parametrize("name", SHAPES)
def test_batch_that_real_models_cannot_take_disturbs_nobody(served_real: Served, name: str) -> None:
    kind = np.uint8 if name.startswith("mobilenet") else np.float32
    good, bad = (np.ones((rows, *SHAPES[name]), kind) for rows in (1, 2))
    assert set(served_real.ask_both(name, good, bad)) == {"StatusCode.INVALID_ARGUMENT"}


def test_size_that_does_not_fit_the_graph_is_refused_before_it_is_inferred(served: Served) -> None:
    codes = served.ask_both("one-size", good=rows(4, 1), bad=rows(5, 1))
    assert set(codes) == {"StatusCode.INVALID_ARGUMENT"}
    with pytest.raises(triton.InferenceServerException, match=r"x \[1, 3, 6\] do not fit"):
        served.ask(served.bad, "one-size", rows(3, 1))


def test_request_that_breaks_a_model_costs_who_sends_it_alone(served: Served) -> None:
    codes = served.ask_both("by-values", good=rows(8, 4), bad=rows(9, 5))
    assert set(codes) <= {"StatusCode.INTERNAL", "StatusCode.UNAVAILABLE"}
    assert codes[0] == "StatusCode.INTERNAL"
    assert "StatusCode.UNAVAILABLE" in codes
    served.service.logged("model broken by a request model=by-values")
    shown = httpx.get(f"http://{served.rest}/metrics", timeout=60).text
    assert 'camfleet_models_broken_total{name="by-values"}' in shown


def test_first_request_that_onnx_runtime_cannot_answer_turns_nobody_away(served: Served) -> None:
    assert set(served.ask_badly("never-broken", rows(5, 1))) == {"StatusCode.INTERNAL"}
    assert served.ask(served.good, "never-broken", rows(4, 1)).shape == (1, 24)


def test_size_that_a_real_graph_cannot_take_disturbs_nobody(served_real: Served) -> None:
    good, bad = (np.ones((1, 3, size, size), np.float32) for size in (352, 320))
    assert set(served_real.ask_both("any-size", good, bad)) == {"StatusCode.INVALID_ARGUMENT"}


def test_each_break_makes_the_pause_twice_as_long() -> None:
    now = [1000.0]
    durability = Durability(lambda: now[0])
    assert durability.caution_s == 0
    pauses = []
    for _ in range(12):
        durability.note_broken()
        pauses.append(durability.caution_s)
        now[0] += durability.caution_s
    assert pauses == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600]
    now[0] += 1300
    durability.note_broken()
    assert durability.caution_s == 1


def test_a_load_that_takes_longer_than_the_pause_does_not_use_it_up() -> None:
    now = [1000.0]
    durability = Durability(lambda: now[0])
    durability.note_broken()
    now[0] += 20
    durability.note_loaded()
    assert durability.caution_s == 1
    now[0] += 0.25
    assert durability.note_broken() == 0.75


def test_a_version_that_never_broke_lets_every_shape_in_once_it_is_loaded() -> None:
    durability = Durability(lambda: 1000.0)
    durability.note_loaded()
    assert durability.caution_s == 0


def test_second_break_within_the_pause_is_mended_after_it() -> None:
    now = [1000.0]
    durability = Durability(lambda: now[0])
    assert durability.note_broken() == 0
    now[0] += 0.25
    assert durability.note_broken() == 0.75


def test_answered_shapes_are_remembered_up_to_a_bound() -> None:
    durability = Durability()
    durability.note_answered(KNOWN)
    for number in range(1000):
        durability.note_answered((("x", "f", (1, number)),))
    assert durability.has_answered(KNOWN)
    assert not durability.has_answered((("x", "f", (1, 999)),))
