"""Applies what config.json asks of the inputs to an uncompiled model."""

from typing import Any

from camfleet_contracts.serving_config import ModelConfig
from camfleet_contracts.serving_config.forms import read_sizes
from camfleet_server.runtimes.base import LoadError
from camfleet_server.runtimes.mapping import TensorMapping
from camfleet_server.runtimes.openvino.api import ov
from camfleet_server.runtimes.openvino.compile import first_lines
from camfleet_server.runtimes.openvino.inputs import TensorFinder
from camfleet_server.runtimes.openvino.preprocess import apply_preprocessing
from camfleet_server.runtimes.openvino.trial import BatchBakedIn


def apply_config(model: Any, config: ModelConfig, mapping: TensorMapping | None = None) -> Any:
    """Return the model as config.json wants its inputs; shapes are those of the request.

    Raises:
        LoadError: a setting cannot be read or does not fit the model.
    """
    finder = TensorFinder(model, mapping or TensorMapping())
    model = apply_preprocessing(model, config, finder)
    if config.shape:
        settings = finder.inputs(config.shape, "shape")
        shapes = {i: _partial_shape(shape, model.inputs[i]) for i, shape in settings.items()}
        try:
            model.reshape(shapes)
        except RuntimeError as error:
            raise LoadError(
                f"shape {config.shape}: the model is made for {_own_shapes(model)} and cannot be "
                f"reshaped ({first_lines(error)}); remove `shape`, or export the model for it"
            ) from error
    elif config.batch_size not in {None, 0, "0"}:
        batch = _dimension(str(config.batch_size).strip())
        try:
            model.reshape({i: _with_batch(port, batch) for i, port in enumerate(model.inputs)})
        except RuntimeError as error:
            raise BatchBakedIn(first_lines(error)) from error
    return model


def _partial_shape(setting: str | list[int], port: Any) -> Any:
    rank = port.get_partial_shape().rank
    sizes = read_sizes(setting)
    if sizes is None:
        return ov.PartialShape([ov.Dimension()] * rank.get_length())
    if rank.is_static and rank.get_length() != len(sizes):
        raise LoadError(f"shape {setting}: the input has {rank.get_length()} dimensions")
    return ov.PartialShape([_dimension(size) for size in sizes])


def _own_shapes(model: Any) -> str:
    return ", ".join(str(port.get_partial_shape()) for port in model.inputs)


def _with_batch(port: Any, batch: Any) -> Any:
    shape = port.get_partial_shape()
    return ov.PartialShape([batch, *list(shape)[1:]]) if len(shape) else shape


def _dimension(text: str) -> Any:
    low, _, high = text.partition(":")
    if low in {"auto", "-1"}:
        return ov.Dimension()
    return ov.Dimension(int(low), int(high)) if high else ov.Dimension(int(low))
