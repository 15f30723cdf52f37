"""Applies `layout`, `shape` and `batch_size` of config.json to an uncompiled model."""

from collections.abc import Mapping
from typing import Any

from camfleet_contracts.serving_config import ModelConfig
from camfleet_server.runtimes._openvino_api import ov
from camfleet_server.runtimes.base import LoadError


def apply_config(model: Any, config: ModelConfig) -> Any:
    """Return the model with the layout, shapes and batch size that config.json asks for.

    Raises:
        LoadError: a setting cannot be read or does not fit the model.
    """
    if config.layout:
        model = _with_layout(model, _by_input(config.layout, model, "layout"))
    if config.shape:
        shapes = _by_input(config.shape, model, "shape")
        model.reshape({i: _partial_shape(text, model.inputs[i]) for i, text in shapes.items()})
    elif config.batch_size not in {None, 0}:
        batch = _dimension(str(config.batch_size), "batch_size")
        model.reshape({i: _with_batch(port, batch) for i, port in enumerate(model.inputs)})
    return model


def _by_input(setting: str | Mapping[str, str], model: Any, what: str) -> dict[int, str]:
    """Map the setting to the inputs it is meant for, by their number."""
    if isinstance(setting, str):
        if len(model.inputs) != 1:
            names = [port.any_name for port in model.inputs]
            raise LoadError(f"{what}: the model has the inputs {names}; give one {what} for each")
        return {0: setting}
    chosen = {}
    for name, text in setting.items():
        numbers = [i for i, port in enumerate(model.inputs) if name in port.names]
        if not numbers:
            raise LoadError(f"{what}: the model has no input {name!r}")
        chosen[numbers[0]] = text
    return chosen


def _with_layout(model: Any, layouts: dict[int, str]) -> Any:
    pre_post = ov.preprocess.PrePostProcessor(model)
    for number, text in layouts.items():
        asked, _, in_model = text.partition(":")
        pre_post.input(number).tensor().set_layout(ov.Layout(_plain(asked)))
        pre_post.input(number).model().set_layout(ov.Layout(_plain(in_model or asked)))
    return pre_post.build()


def _plain(layout: str) -> str:
    return layout.strip().rstrip(".")  # OVMS writes "N..." for a batch followed by anything


def _partial_shape(text: str, port: Any) -> Any:
    rank = port.get_partial_shape().rank
    if text.strip() == "auto":
        return ov.PartialShape([ov.Dimension()] * rank.get_length())
    sizes = [size for size in text.strip().strip("()[]").split(",") if size.strip()]
    if rank.is_static and rank.get_length() != len(sizes):
        raise LoadError(f"shape {text}: the input has {rank.get_length()} dimensions")
    return ov.PartialShape([_dimension(size, "shape") for size in sizes])


def _with_batch(port: Any, batch: Any) -> Any:
    shape = port.get_partial_shape()
    return ov.PartialShape([batch, *list(shape)[1:]]) if len(shape) else shape


def _dimension(text: str, what: str) -> Any:
    low, _, high = text.strip().partition(":")
    try:
        if low in {"auto", "-1"}:
            return ov.Dimension()
        return ov.Dimension(int(low), int(high)) if high else ov.Dimension(int(low))
    except ValueError as error:
        raise LoadError(f"{what}: {text!r} is no size, range (1:8), -1 or auto") from error
