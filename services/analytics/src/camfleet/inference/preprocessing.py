"""A picture becomes a model's input tensor, as the model's manifest says."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from camfleet.inference.geometry import Resize, fit
from camfleet.inference.pictures import Picture, scaled, size_of
from camfleet.inference.served_model import TensorSpec, UnusableModel
from camfleet_contracts.model_manifest import ModelManifest, Preprocess
from camfleet_contracts.pictures import normalise

_RANK, _CHANNELS = 4, (1, 3)  # of a picture's tensor
_DTYPES: Mapping[str, np.dtype[Any]] = {
    "FP32": np.dtype(np.float32),
    "FP16": np.dtype(np.float16),
    "UINT8": np.dtype(np.uint8),
    "INT8": np.dtype(np.int8),
}


def preprocess_of(manifest: ModelManifest, spec: TensorSpec | None = None) -> Preprocess:
    """The manifest's preprocessing, else the one its alwaysAI fields and the input describe."""
    if manifest.preprocess is not None:
        return manifest.preprocess
    size = manifest.size
    return Preprocess(
        resize="crop" if manifest.crop else "stretch",
        size=(size[0], size[1]) if size and len(size) > 1 else None,
        layout="NHWC" if spec and _has_channels_last(spec.shape) else "NCHW",
        colour="RGB" if manifest.swaprb else "BGR",
        mean=manifest.mean or (0.0, 0.0, 0.0),
        scale=1.0 if manifest.scalefactor is None else manifest.scalefactor,
    )


def _has_channels_last(shape: Sequence[int]) -> bool:
    return len(shape) == _RANK and shape[3] in _CHANNELS and shape[1] not in _CHANNELS


def input_size(preprocess: Preprocess, spec: TensorSpec, model: str) -> tuple[int, int]:
    """(width, height) of the input: what the file's shape says, else the manifest.

    Raises:
        UnusableModel: the input is not a picture, or neither tells its size.
    """
    if len(spec.shape) != _RANK or spec.datatype not in _DTYPES:
        raise UnusableModel(
            f"{model}: input '{spec.name}' is {spec.datatype} {list(spec.shape)}, "
            "not a picture; cameras need a model with a picture input"
        )
    height, width = spec.shape[2:4] if preprocess.layout == "NCHW" else spec.shape[1:3]
    if width > 0 and height > 0:
        return width, height
    if preprocess.size is None:
        raise UnusableModel(
            f"{model}: input '{spec.name}' has no fixed size; add `preprocess.size` to model.json"
        )
    return preprocess.size


def to_tensor(
    picture: Picture, preprocess: Preprocess, spec: TensorSpec, size: tuple[int, int]
) -> tuple[NDArray[Any], Resize]:
    """One picture as a batch of one in the file's own type and layout, and how it was fitted."""
    pixels, resize = _fit(picture, preprocess, preprocess.colour, size)
    return normalise(pixels, preprocess, _DTYPES[spec.datatype])[None], resize


def to_pixels(
    picture: Picture, preprocess: Preprocess, size: tuple[int, int]
) -> tuple[NDArray[np.uint8], Resize]:
    """One picture (1, H, W, C) as the image entrance of our server takes it; it does the rest."""
    colour = "GRAY" if preprocess.colour == "GRAY" else "BGR"
    pixels, resize = _fit(picture, preprocess, colour, size)
    return pixels[None], resize


def _fit(
    picture: Picture, preprocess: Preprocess, colour: str, size: tuple[int, int]
) -> tuple[NDArray[np.uint8], Resize]:
    """Pixels (H, W, C) of the input's size, and how the picture was fitted."""
    resize = fit(preprocess.resize, size_of(picture), size)
    return resize.place(scaled(picture, resize.scaled_size, colour), preprocess.pad), resize
