"""A picture becomes a model's input tensor, as the model's manifest says."""

from collections.abc import Callable, Mapping
from typing import Any

import av
import numpy as np
from av.video.reformatter import Interpolation
from numpy.typing import NDArray

from camfleet.inference.geometry import Resize, crop, letterbox, stretch
from camfleet.inference.served_model import TensorSpec, UnusableModel
from camfleet_contracts.model_manifest import ModelManifest, Preprocess

_FORMATS = {"RGB": "rgb24", "BGR": "bgr24", "GRAY": "gray"}
_DTYPES: Mapping[str, type[np.generic]] = {
    "FP32": np.float32,
    "FP16": np.float16,
    "UINT8": np.uint8,
    "INT8": np.int8,
}


def preprocess_of(manifest: ModelManifest) -> Preprocess:
    """The manifest's preprocessing, else the one its alwaysAI fields describe."""
    if manifest.preprocess is not None:
        return manifest.preprocess
    size = manifest.size
    return Preprocess(
        resize="crop" if manifest.crop else "stretch",
        size=(size[0], size[1]) if size and len(size) > 1 else None,
        colour="RGB" if manifest.swaprb else "BGR",
        mean=manifest.mean or (0.0, 0.0, 0.0),
        scale=1.0 if manifest.scalefactor is None else manifest.scalefactor,
    )


def input_size(preprocess: Preprocess, spec: TensorSpec, model: str) -> tuple[int, int]:
    """(width, height) of the input: what the file's shape says, else the manifest.

    Raises:
        UnusableModel: the input is no picture, or neither tells its size.
    """
    rank = 4
    if len(spec.shape) != rank or spec.datatype not in _DTYPES:
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
    picture: av.VideoFrame, preprocess: Preprocess, spec: TensorSpec, size: tuple[int, int]
) -> tuple[NDArray[Any], Resize]:
    """One picture as a batch of one in the file's own type and layout, and how it was fitted."""
    resize = _RESIZES[preprocess.resize]((picture.width, picture.height), size)
    pixels = _fit(picture, preprocess, resize)  # (H, W, C) uint8
    if preprocess.layout == "NCHW":
        pixels = pixels.transpose(2, 0, 1)
    return _normalise(pixels, preprocess, _DTYPES[spec.datatype])[None], resize


_RESIZES: Mapping[str, Callable[[tuple[int, int], tuple[int, int]], Resize]] = {
    "stretch": stretch,
    "crop": crop,
    "letterbox": lambda frame, wanted: letterbox(frame, wanted, centred=True),
    "letterbox-topleft": lambda frame, wanted: letterbox(frame, wanted, centred=False),
}


def _fit(picture: av.VideoFrame, preprocess: Preprocess, resize: Resize) -> NDArray[np.uint8]:
    width, height = (
        max(1, round(side * factor))
        for side, factor in zip(resize.frame_size, resize.scale, strict=True)
    )
    scaled = _pixels(picture, width, height, _FORMATS[preprocess.colour])
    if (width, height) == resize.input_size:
        return scaled
    canvas = np.full((*resize.input_size[::-1], scaled.shape[2]), preprocess.pad, np.uint8)
    _paste(scaled, canvas, round(resize.offset[0]), round(resize.offset[1]))
    return canvas


def _pixels(picture: av.VideoFrame, width: int, height: int, layout: str) -> NDArray[np.uint8]:
    scaled = picture.reformat(
        width=width, height=height, format=layout, interpolation=Interpolation.AREA
    )
    pixels = np.asarray(scaled.to_ndarray(), np.uint8)
    return pixels if pixels.ndim == 3 else pixels[:, :, None]  # noqa: PLR2004 - gray has no channels


def _paste(scaled: NDArray[np.uint8], canvas: NDArray[np.uint8], x: int, y: int) -> None:
    """Copy what of `scaled`, laid with its corner at (x, y), falls onto the canvas."""
    left, top = max(0, -x), max(0, -y)
    x, y = max(0, x), max(0, y)
    width = min(scaled.shape[1] - left, canvas.shape[1] - x)
    height = min(scaled.shape[0] - top, canvas.shape[0] - y)
    canvas[y : y + height, x : x + width] = scaled[top : top + height, left : left + width]


def _normalise(
    pixels: NDArray[np.uint8], preprocess: Preprocess, dtype: type[np.generic]
) -> NDArray[Any]:
    mean = _per_channel(preprocess.mean, pixels, preprocess.layout)
    scale = _per_channel(preprocess.scale, pixels, preprocess.layout)
    plain = not mean.any() and bool((scale == 1).all())
    if plain:
        return np.ascontiguousarray(pixels, dtype=dtype)
    floats = np.subtract(pixels, mean, dtype=np.float32, order="C")
    floats *= scale
    return floats if dtype is np.float32 else floats.round().astype(dtype)


def _per_channel(
    values: float | tuple[float, ...], pixels: NDArray[np.uint8], layout: str
) -> NDArray[np.float32]:
    """The values shaped so that they apply per channel of the layout."""
    channels = pixels.shape[0] if layout == "NCHW" else pixels.shape[2]
    row = np.broadcast_to(np.asarray(values, np.float32), (channels,))
    return row[:, None, None] if layout == "NCHW" else row
