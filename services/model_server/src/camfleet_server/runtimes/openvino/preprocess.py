"""Applies `layout`, `precision`, `color_format`, `mean` and `scale` of config.json to a model.

The steps become part of the graph, in this order: what the request sends is converted to f32 where
something is computed, to the model's colours, mean is subtracted, the result divided by scale.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from camfleet_contracts.serving_config import ModelConfig
from camfleet_contracts.serving_config.forms import read_numbers, read_pair, read_precision
from camfleet_server.runtimes.base import LoadError
from camfleet_server.runtimes.openvino.api import ov
from camfleet_server.runtimes.openvino.inputs import TensorFinder

_PLANES = {
    "NV12": ("NV12_SINGLE_PLANE", []),
    "NV12_2": ("NV12_TWO_PLANES", ["y", "uv"]),
    "I420": ("I420_SINGLE_PLANE", []),
    "I420_3": ("I420_THREE_PLANES", ["y", "u", "v"]),
}
_CHANNELS = {"RGB": 3, "BGR": 3, "GRAY": 1}
_TYPES = {
    "FP64": ov.Type.f64,
    "FP32": ov.Type.f32,
    "FP16": ov.Type.f16,
    "BF16": ov.Type.bf16,
    "BOOL": ov.Type.boolean,
    "INT64": ov.Type.i64,
    "INT32": ov.Type.i32,
    "INT16": ov.Type.i16,
    "INT8": ov.Type.i8,
    "UINT64": ov.Type.u64,
    "UINT32": ov.Type.u32,
    "UINT16": ov.Type.u16,
    "UINT8": ov.Type.u8,
}


@dataclass(slots=True)
class _Wish:
    """What config.json asks of one input."""

    layout: str = ""
    precision: str = ""
    colours: str = ""
    mean: Sequence[float] = ()
    scale: Sequence[float] = ()

    @property
    def computes(self) -> bool:
        """Tell whether pixel values are changed, which needs a floating type."""
        return bool(self.mean or self.scale)


def apply_preprocessing(model: Any, config: ModelConfig, finder: TensorFinder) -> Any:
    """Return the model with the steps that config.json asks for in front of its inputs.

    Raises:
        LoadError: a setting does not fit the model.
    """
    wishes = _wishes(config, finder)
    outputs = finder.outputs(config.layout)
    if not wishes and not outputs:
        return model
    pre_post = ov.preprocess.PrePostProcessor(model)
    for number, wish in wishes.items():
        _add_steps(pre_post.input(number), model.inputs[number], wish)
    for number, text in outputs.items():
        asked, model_layout = _fitting_layouts(text, model.outputs[number])
        pre_post.output(number).tensor().set_layout(asked)
        pre_post.output(number).model().set_layout(model_layout)
    return pre_post.build()


def _wishes(config: ModelConfig, finder: TensorFinder) -> dict[int, _Wish]:
    settings = {
        "layout": config.layout,
        "precision": config.precision,
        "colours": config.color_format,
        "mean": None if config.mean is None else read_numbers(config.mean),
        "scale": None if config.scale is None else read_numbers(config.scale),
    }
    wishes: dict[int, _Wish] = {}
    for what, setting in settings.items():
        for number, value in finder.inputs(setting, what).items():
            setattr(wishes.setdefault(number, _Wish()), what, value)
    return wishes


def _add_steps(step: Any, port: Any, wish: _Wish) -> None:
    request_type = _request_type(port, wish)
    step.tensor().set_element_type(request_type)
    request_colours, model_colours = _colours(wish)
    asked, in_model = _layouts_of(port, wish, request_colours)
    if in_model is not None:
        step.tensor().set_layout(asked)
        step.model().set_layout(in_model)
    if wish.computes and not request_type.is_real():
        step.preprocess().convert_element_type(ov.Type.f32)
    if request_colours != model_colours:
        _add_colours(step, asked, request_colours, model_colours)
        if request_colours == "GRAY":
            step.tensor().set_shape(_one_channel(port, asked, in_model))
    _check_channels(port, wish, in_model)
    if wish.mean:
        step.preprocess().mean(_one_or_all(wish.mean))
    if wish.scale:
        step.preprocess().scale(_one_or_all(wish.scale))


def _request_type(port: Any, wish: _Wish) -> Any:
    own = port.get_element_type()
    if not wish.precision:
        return own
    request, in_model = (_TYPES[read_precision(name)] for name in read_pair(wish.precision))
    if ":" in wish.precision and in_model != own:
        raise LoadError(
            f"precision {wish.precision}: the model's input {port.any_name!r} is "
            f"{own.get_type_name()}; write request:model, or the request's type alone"
        )
    return request


def _layouts_of(port: Any, wish: _Wish, request_colours: str) -> tuple[Any, Any]:
    """Return the layouts of request and model; None, None where nobody needs to know them."""
    if wish.layout:
        asked, in_model = _fitting_layouts(wish.layout, port)
    elif wish.colours or len(wish.mean) > 1 or len(wish.scale) > 1:
        asked = in_model = _guessed_layout(port)
    else:
        return None, None
    if not ov.layout_helpers.has_channels(in_model) and (wish.colours or wish.computes):
        raise LoadError(f"layout {wish.layout}: does not say which dimension is the channels, C")
    if request_colours in _PLANES:
        if wish.layout and asked.to_string() not in {"[N,H,W,C]", in_model.to_string()}:
            raise LoadError(f"color_format {wish.colours}: planes are sent in layout NHWC")
        asked = ov.Layout("NHWC")
    return asked, in_model


def _fitting_layouts(text: str, port: Any) -> tuple[Any, Any]:
    """Return the layouts of request and model, each with a letter for every dimension."""
    layouts = _layouts(text)
    shape = port.get_partial_shape()
    for layout in layouts:
        letters = layout.to_string().strip("[]").split(",")
        fits = "..." in letters or shape.rank.is_dynamic or len(letters) == len(shape)
        if not fits:
            side = "input" if port.node.get_type_name() == "Parameter" else "output"
            name = min(port.names, default=port.node.get_friendly_name())
            raise LoadError(
                f"layout {text}: has {len(letters)} letters, the {side} {name!r} has "
                f"{len(shape)} dimensions, {shape}; write a letter for each, such as NC, or leave "
                "`layout` away"
            )
    return layouts


def _layouts(text: str) -> tuple[Any, Any]:
    asked, _, in_model = text.partition(":")
    try:
        return ov.Layout(asked.strip()), ov.Layout((in_model or asked).strip())
    except RuntimeError as error:
        raise LoadError(f"layout {text}: is not a layout such as NHWC or NHWC:NCHW") from error


def _guessed_layout(port: Any) -> Any:
    """Return the layout the model states, else the one its channels give away."""
    stated = ov.layout_helpers.get_layout(port)
    if not stated.empty:
        return stated
    shape = port.get_partial_shape()
    if shape.rank.is_static and shape.rank.get_length() == 4:  # noqa: PLR2004 - pictures
        sizes = [size.get_length() if size.is_static else None for size in shape]
        for place, layout in ((1, "NCHW"), (3, "NHWC")):
            if sizes[place] in _CHANNELS.values():
                return ov.Layout(layout)
    raise LoadError(
        f"input {port.any_name!r} of shape {shape} does not show where its channels are; "
        'give "layout", such as "NCHW"'
    )


def _colours(wish: _Wish) -> tuple[str, str]:
    if not wish.colours:
        return "", ""
    request, in_model = read_pair(wish.colours)
    if in_model not in _CHANNELS:
        raise LoadError(
            f"color_format {wish.colours}: a model takes RGB, BGR or GRAY; write {request}:RGB "
            "or such"
        )
    return request, in_model


def _add_colours(step: Any, asked: Any, request: str, in_model: str) -> None:
    if request == "GRAY":
        step.tensor().set_color_format(ov.preprocess.ColorFormat.GRAY)
        axis = ov.layout_helpers.channels_idx(asked)
        step.preprocess().custom(lambda grey: _as_three_channels(grey, axis))
        return
    name, planes = _PLANES.get(request, (request, []))
    step.tensor().set_color_format(getattr(ov.preprocess.ColorFormat, name), planes)
    step.preprocess().convert_color(getattr(ov.preprocess.ColorFormat, in_model))


def _as_three_channels(grey: Any, axis: int) -> Any:
    """OpenVINO does not convert GRAY to colours: the one channel is repeated."""
    repeats = np.ones(grey.get_partial_shape().rank.get_length(), np.int64)
    repeats[axis] = 3
    return ov.opset13.tile(grey, repeats).output(0)


def _one_channel(port: Any, asked: Any, in_model: Any) -> Any:
    shape, gray = list(port.get_partial_shape()), {}
    for index_of in (
        ov.layout_helpers.batch_idx,
        ov.layout_helpers.height_idx,
        ov.layout_helpers.width_idx,
    ):
        gray[index_of(asked)] = shape[index_of(in_model)]
    gray[ov.layout_helpers.channels_idx(asked)] = ov.Dimension(1)
    return ov.PartialShape([gray[axis] for axis in range(len(shape))])


def _check_channels(port: Any, wish: _Wish, layout: Any) -> None:
    for what, numbers in (("mean", wish.mean), ("scale", wish.scale)):
        if len(numbers) < 2:  # noqa: PLR2004 - one number goes for all channels
            continue
        size = port.get_partial_shape()[ov.layout_helpers.channels_idx(layout)]
        if size.is_static and size.get_length() != len(numbers):
            raise LoadError(
                f"{what} has {len(numbers)} numbers, the input {port.any_name!r} "
                f"{size.get_length()} channels"
            )


def _one_or_all(numbers: Sequence[float]) -> Any:
    return float(numbers[0]) if len(numbers) == 1 else [float(number) for number in numbers]
