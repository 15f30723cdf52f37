"""A service's own steps before and after the model, for models that no decoder knows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from camfleet.errors import BadArgument
from camfleet.images import Image
from camfleet.inference.geometry import Resize, fit
from camfleet.inference.model_client import Answer
from camfleet.inference.pictures import Picture
from camfleet.inference.preprocessing import input_size, preprocess_of
from camfleet.inference.served_model import ServedModel, UnusableModel
from camfleet.results.boxes import BoundingBox
from camfleet.vision.hook_params import (
    PostProcessBatchParams,
    PostProcessParams,
    PreProcessBatchParams,
    PreProcessParams,
)
from camfleet.vision.model_config import ModelConfig

P = TypeVar("P")
Boxes: TypeAlias = tuple[Sequence[BoundingBox], Sequence[float], Sequence[int]]
BatchOfBoxes: TypeAlias = tuple[
    Sequence[Sequence[BoundingBox]], Sequence[Sequence[float]], Sequence[Sequence[int]]
]
_PARTS, _LISTS = 3, (list, tuple, np.ndarray)


@dataclass(frozen=True, slots=True)
class Hooks(Generic[P]):
    """Those that are None are left to the model's manifest.

    `pre_process` returns the input tensor of one image: a batch of one, in the file's own type;
    `pre_process_batch` that of several. `post_process` returns an image's predictions,
    `post_process_batch` those of several images: one list an image. In place of predictions both
    may return what edgeIQ's return: boxes, confidences and indexes.
    """

    pre_process: Callable[[PreProcessParams], NDArray[Any]] | None = None
    pre_process_batch: Callable[[PreProcessBatchParams], NDArray[Any]] | None = None
    post_process: Callable[[PostProcessParams], Sequence[P] | Boxes] | None = None
    post_process_batch: (
        Callable[[PostProcessBatchParams], Sequence[Sequence[P]] | BatchOfBoxes] | None
    ) = None

    @property
    def prepares(self) -> bool:
        """Whether the input is made here."""
        return self.pre_process is not None or self.pre_process_batch is not None

    @property
    def reads(self) -> bool:
        """Whether the outputs are read here."""
        return self.post_process is not None or self.post_process_batch is not None

    def prepare(
        self, images: Sequence[Picture], model: ServedModel
    ) -> tuple[NDArray[Any], list[Resize]]:
        """The input tensor of a batch, and how the images were fitted as far as the manifest says.

        Raises:
            BadArgument: a hook returned no tensor with a row an image.
        """
        size = _input_size(model)
        config = ModelConfig(model.manifest)
        asked = PreProcessBatchParams(
            PreProcessParams(image, size, config)
            for image in images
            if isinstance(image, np.ndarray)
        )
        tensor = self._tensor_of(asked)
        if not isinstance(tensor, np.ndarray) or tensor.shape[:1] != (len(images),):
            found = getattr(tensor, "shape", type(tensor).__name__)
            raise BadArgument(
                f"pre_process of {model.name} returned {found}, expected an array whose first "
                f"axis is {len(images)}"
            )
        kind = preprocess_of(model.manifest).resize
        frames = [(one.image.shape[1], one.image.shape[0]) for one in asked]
        return tensor, [fit(kind, frame, size or frame) for frame in frames]

    def read(
        self, answers: Sequence[Answer], images: Sequence[Image], confidence: float, overlap: float
    ) -> list[Sequence[P] | Boxes]:
        """The predictions of each answer, or their boxes, confidences and indexes."""
        told = PostProcessBatchParams(
            PostProcessParams(
                answer.outputs,
                answer.resize,
                confidence,
                overlap,
                ModelConfig(answer.model.manifest),
                image,
                _input_size(answer.model),
            )
            for answer, image in zip(answers, images, strict=True)
        )
        if self.post_process_batch and (len(told) > 1 or self.post_process is None):
            return _by_image(self.post_process_batch(told), len(told))
        assert self.post_process is not None  # noqa: S101 - `reads` was asked before
        return [self.post_process(one) for one in told]

    def _tensor_of(self, asked: PreProcessBatchParams) -> NDArray[Any]:
        if self.pre_process_batch and (len(asked) > 1 or self.pre_process is None):
            return self.pre_process_batch(asked)
        assert self.pre_process is not None  # noqa: S101 - `prepares` was asked before
        return np.concatenate([self.pre_process(one) for one in asked])


def _input_size(model: ServedModel) -> tuple[int, int] | None:
    try:
        return input_size(preprocess_of(model.manifest, model.input), model.input, model.name)
    except UnusableModel:
        return None


def _by_image(
    found: Sequence[Sequence[P]] | BatchOfBoxes, images: int
) -> list[Sequence[P] | Boxes]:
    """What was found in each image; edgeIQ's hooks return three lists with a list an image."""
    parts: Any = found
    is_boxes = (
        isinstance(parts, tuple)
        and len(parts) == _PARTS
        and all(len(part) == images and isinstance(part[0], _LISTS) for part in parts)
    )
    return list(zip(*parts, strict=True)) if is_boxes else list(parts)
