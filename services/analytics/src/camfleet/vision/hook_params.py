"""What the hooks of a service are called with, in edgeIQ's names."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from camfleet.images import Image
from camfleet.inference.geometry import Resize
from camfleet.inference.preprocessing import preprocess_of
from camfleet.vision.model_config import ModelConfig
from camfleet_contracts.model_manifest import Preprocess

Size = tuple[int, int]  # (width, height) in pixels
Scale = float | tuple[float, ...]
Results = NDArray[Any] | list[NDArray[Any]]


@dataclass(frozen=True, slots=True)
class PreProcessParams:
    """What `pre_process` is called with."""

    image: Image
    size: Size | None  # of the input; None where it is no picture
    model_config: ModelConfig

    @property
    def scalefactor(self) -> Scale:
        """Each channel less its mean is multiplied by it; a tuple where they differ."""
        return self._said.scale

    @property
    def mean(self) -> tuple[float, ...]:
        """Of each channel."""
        return self._said.mean

    @property
    def swaprb(self) -> bool:
        """Whether the model takes red first."""
        return self._said.colour == "RGB"

    @property
    def crop(self) -> bool:
        """Whether what sticks out is cut off, and the image not stretched."""
        return self._said.resize == "crop"

    @property
    def _said(self) -> Preprocess:
        return preprocess_of(self.model_config.manifest)


@dataclass(frozen=True, slots=True)
class PostProcessParams:
    """What `post_process` is called with."""

    outputs: Mapping[str, NDArray[Any]]  # of one image, each with a batch of one
    resize: Resize  # takes boxes and points of the input back to the image
    confidence_level: float
    overlap_threshold: float
    model_config: ModelConfig
    image: Image
    model_input_size: Size | None  # None where the input is no picture

    @property
    def results(self) -> Results:
        """The model's output; a list, in the model's order, where it has several."""
        tensors = list(self.outputs.values())
        return tensors[0] if len(tensors) == 1 else tensors

    @property
    def num_classes(self) -> int:
        """As many as the model has labels."""
        return len(self.model_config.labels)


class PreProcessBatchParams(list[PreProcessParams]):
    """What `pre_process_batch` is called with: those of each image, and what they share."""

    @property
    def images(self) -> list[Image]:
        """In their order."""
        return [one.image for one in self]

    @property
    def size(self) -> Size | None:
        """Of the input; None where it is no picture."""
        return self[0].size

    @property
    def scalefactor(self) -> Scale:
        """Each channel less its mean is multiplied by it; a tuple where they differ."""
        return self[0].scalefactor

    @property
    def mean(self) -> tuple[float, ...]:
        """Of each channel."""
        return self[0].mean

    @property
    def swaprb(self) -> bool:
        """Whether the model takes red first."""
        return self[0].swaprb

    @property
    def crop(self) -> bool:
        """Whether what sticks out is cut off, and the images not stretched."""
        return self[0].crop


class PostProcessBatchParams(list[PostProcessParams]):
    """What `post_process_batch` is called with: those of each image, and what they share."""

    @property
    def results(self) -> list[Results]:
        """The outputs of each image."""
        return [one.results for one in self]

    @property
    def images(self) -> list[Image]:
        """In their order."""
        return [one.image for one in self]

    @property
    def confidence_level(self) -> float:
        """As the service was asked."""
        return self[0].confidence_level

    @property
    def overlap_threshold(self) -> float:
        """As the service was asked."""
        return self[0].overlap_threshold

    @property
    def num_classes(self) -> int:
        """As many as the model has labels."""
        return self[0].num_classes

    @property
    def model_input_size(self) -> Size | None:
        """None where the input is no picture."""
        return self[0].model_input_size


ObjectDetectionPreProcessParams = PreProcessParams  # as edgeIQ 2 names them
ObjectDetectionPreProcessBatchParams = PreProcessBatchParams
ObjectDetectionPostProcessParams = PostProcessParams
ObjectDetectionPostProcessBatchParams = PostProcessBatchParams
