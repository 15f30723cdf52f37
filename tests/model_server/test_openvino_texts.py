"""Texts go into OpenVINO models and out of them as they are, in no more room than they have."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from camfleet_contracts.model_manifest import ModelManifest
from camfleet_contracts.serving_config import ModelConfig
from camfleet_server.errors import InvalidInput
from camfleet_server.runtimes.base import ModelSource, Servable
from camfleet_server.runtimes.openvino.api import ov
from camfleet_server.runtimes.openvino.runtime import OpenVinoRuntime

opset = ov.opset15


def save_echo(folder: Path, shape: Sequence[int]) -> None:
    """Save a model of texts and numbers that answers with both, numbers plus one."""
    texts = opset.parameter(ov.PartialShape(shape), ov.Type.string, name="texts")
    numbers = opset.parameter([2], np.float32, name="numbers")
    texts.output(0).set_names({"texts"})
    numbers.output(0).set_names({"numbers"})
    told = opset.result(texts, name="told")
    more = opset.add(numbers, np.float32(1), name="more")
    more.output(0).set_names({"more"})
    ov.save_model(ov.Model([told, opset.result(more)], [texts, numbers], "echo"), folder / "m.xml")


def load_echo(folder: Path, shape: Sequence[int]) -> Servable:
    save_echo(folder, shape)
    config = ModelConfig(name="echo", base_path=folder)
    return OpenVinoRuntime().load(ModelSource("echo", 1, folder, config, ModelManifest()))


def echoed(servable: Servable, texts: NDArray[Any]) -> NDArray[Any]:
    """Send texts, with numbers behind them, and return the texts that come back."""
    inputs = {"texts": texts, "numbers": np.array([1, 2], np.float32)}
    names = tuple(spec.name for spec in servable.outputs)
    answers = servable.infer(inputs, names)
    assert answers["more"].tolist() == [2, 3]
    return answers[next(name for name in names if name != "more")]


@pytest.mark.parametrize(
    ("shape", "texts"),
    [
        ([-1], [b"one", "zw\u00f6lf".encode(), b"", b"zero within \0 and at the end\0\0"]),
        ([-1], [b"x" * 100_000, *[b"y"] * 19_999]),
        ([2, 2], [[b"a", b"bc"], [b"", b"def"]]),
        ([], b"alone"),
    ],
    ids=["any bytes", "one long among many", "rows", "scalar"],
)
def test_texts_come_back_as_they_were_sent(tmp_path: Path, shape: list[int], texts: Any) -> None:
    given = np.array(texts, object)
    answer = echoed(load_echo(tmp_path, shape), given)
    assert (answer.shape, answer.tolist()) == (given.shape, given.tolist())


def test_texts_are_told_as_the_file_has_them(tmp_path: Path) -> None:
    servable = load_echo(tmp_path, [-1])
    assert [(s.name, s.datatype, s.shape) for s in servable.inputs] == [
        ("texts", "BYTES", (-1,)),
        ("numbers", "FP32", (2,)),
    ]


def test_no_text_at_all_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="'texts' - Expected: one text or more; Actual: none"):
        echoed(load_echo(tmp_path, [-1]), np.array([], object))


def test_more_bytes_than_can_be_counted_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("camfleet_server.runtimes.openvino.texts._MOST_BYTES", 5)
    servable = load_echo(tmp_path, [-1])
    with pytest.raises(InvalidInput, match=r"'texts' - .*up to 5 bytes together; Actual: 6 bytes"):
        echoed(servable, np.array([b"abc", b"def"], object))
