"""Puts the preprocessing of pictures into a model's graph: UINT8 NHWC in, the rest as it was."""

from typing import Any

import numpy as np

from camfleet_contracts.model_manifest import Preprocess
from camfleet_contracts.pictures import is_plain
from camfleet_contracts.serving_config import ModelConfig
from camfleet_server.runtimes.base import LoadError, PictureInput
from camfleet_server.runtimes.openvino.api import ov

_VALUE_KEYS = ("mean", "scale", "color_format", "precision")
_opset = ov.opset13
_CHANNEL_AXIS = 3
_TO_NCHW = np.array([0, 3, 1, 2])
_REVERSED = np.array([2, 1, 0])


def without_values(config: ModelConfig) -> ModelConfig | None:
    """Return config.json's entry without what it does to the values of own tensors.

    The manifest has its own for pictures. None: it does nothing to them, pictures may share.
    """
    set_keys = [key for key in _VALUE_KEYS if getattr(config, key)]
    return config.model_copy(update=dict.fromkeys(set_keys)) if set_keys else None


def with_pictures(model: Any, number: int, picture: PictureInput) -> Any:
    """Return a copy of an uncompiled model whose input of that number takes pictures.

    Raises:
        LoadError: the preprocessing does not fit the model.
    """
    try:
        return _rewired(model.clone(), number, picture)
    except (RuntimeError, ValueError) as error:
        raise LoadError(
            f"preprocess of its manifest does not fit input {picture.name!r}: {error}"
        ) from error


def _rewired(model: Any, number: int, picture: PictureInput) -> Any:
    own = model.inputs[number]
    pixels = _opset.parameter(ov.PartialShape(list(picture.shape)), np.uint8, name=picture.name)
    tensor = _preprocessed(pixels, picture, own.get_element_type())
    for target in own.get_target_inputs():
        target.replace_source_output(tensor.output(0))
    pixels.output(0).set_names(own.get_names())
    parameters = [pixels if i == number else port.node for i, port in enumerate(model.inputs)]
    return ov.Model(model.get_results(), model.get_sinks(), parameters, model.get_name())


def _preprocessed(pixels: Any, picture: PictureInput, own_type: Any) -> Any:
    """Order the colours, normalise and transpose as `camfleet_contracts.pictures` does."""
    preprocess = picture.preprocess
    tensor = pixels
    if preprocess.colour == "RGB":
        tensor = _opset.gather(tensor, _REVERSED, np.array(_CHANNEL_AXIS))
    if not is_plain(preprocess):
        tensor = _normalised(tensor, preprocess, picture.shape[_CHANNEL_AXIS])
        if not own_type.is_real():
            tensor = _opset.round(tensor, "half_to_even")
    if own_type != tensor.get_element_type():
        tensor = _opset.convert(tensor, own_type)
    return _opset.transpose(tensor, _TO_NCHW) if preprocess.layout == "NCHW" else tensor


def _normalised(tensor: Any, preprocess: Preprocess, channels: int) -> Any:
    mean = np.broadcast_to(np.asarray(preprocess.mean, np.float32), (channels,))
    scale = np.broadcast_to(np.asarray(preprocess.scale, np.float32), (channels,))
    tensor = _opset.convert(tensor, ov.Type.f32)
    if mean.any():
        tensor = _opset.subtract(tensor, np.array(mean))
    return _opset.multiply(tensor, np.array(scale))
