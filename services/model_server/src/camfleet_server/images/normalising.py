"""Pictures for runtimes that do not preprocess in their own graph: numpy does it before them."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from camfleet_contracts.datatypes import get_datatype
from camfleet_contracts.pictures import is_plain, normalise
from camfleet_contracts.serving_config import ModelConfig
from camfleet_server.runtimes.base import (
    PictureInput,
    Servable,
    TakesPictures,
    picture_specs,
)
from camfleet_server.types import Tensors

if TYPE_CHECKING:
    from types import ModuleType


def image_servable(servable: Servable, picture: PictureInput, config: ModelConfig) -> Servable:
    """Make the servable that takes pictures: the runtime's own where it has one.

    Raises:
        LoadError: the preprocessing does not fit the model.
    """
    is_configured = config.mean or config.scale or config.color_format or config.precision
    needs_graph = is_configured or not _takes_pixels(servable, picture)
    if isinstance(servable, TakesPictures) and needs_graph:
        return servable.image_servable(picture)
    return NormalisingServable(servable, picture)


def _takes_pixels(servable: Servable, picture: PictureInput) -> bool:
    """Tell whether at most the colours are in another order, which is not worth a compilation."""
    own = next(spec for spec in servable.inputs if spec.name == picture.name)
    is_nhwc = picture.preprocess.layout == "NHWC"
    return own.datatype == "UINT8" and is_nhwc and is_plain(picture.preprocess)


class NormalisingServable:
    """Normalises UINT8 pictures and lets the model's own servable infer."""

    def __init__(self, servable: Servable, picture: PictureInput) -> None:
        self._servable = servable
        self._preprocess = picture.preprocess
        self._own = next(spec for spec in servable.inputs if spec.name == picture.name)
        self.inputs = picture_specs(servable.inputs, picture)
        self.outputs = servable.outputs
        self.input_aliases = servable.input_aliases
        self.output_aliases = servable.output_aliases
        self.platform = servable.platform
        self.device = servable.device
        self.slots = servable.slots

    def infer(self, inputs: Tensors, wanted: tuple[str, ...], *, in_crowd: bool = False) -> Tensors:
        """Normalise in the calling thread, then infer."""
        tensors = inputs | {self._own.name: self._normalised(inputs[self._own.name])}
        return self._servable.infer(tensors, wanted, in_crowd=in_crowd)

    def close(self) -> None:
        """Do nothing: the model's own servable is closed by its owner."""

    def _normalised(self, pictures: NDArray[np.uint8]) -> NDArray[np.generic]:
        dtype = get_datatype(self._own.datatype, self._own.name).dtype
        if self._preprocess.colour == "RGB":
            is_nchw = self._preprocess.layout == "NCHW"  # planes are taken in any order
            pictures = pictures[..., ::-1] if is_nchw else _opencv().to_rgb(pictures)
        tensors = [normalise(picture, self._preprocess, dtype) for picture in pictures]
        return tensors[0][None] if len(tensors) == 1 else np.stack(tensors)


def _opencv() -> "ModuleType":
    from camfleet_server.images import pixels  # noqa: PLC0415 - loads OpenCV

    return pixels
