"""Re-identification: who of those seen before is it?"""

from collections.abc import Hashable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from camfleet.errors import BadArgument
from camfleet.images import Image
from camfleet.inference.errors import InferenceRefused
from camfleet.results.identities import ReIdentificationResults
from camfleet.vision.base import VisionService
from camfleet.vision.findings import Reading
from camfleet.vision.gallery import DropMethod, Gallery
from camfleet.vision.model_config import ModelConfig


class ReIdentification(VisionService[NDArray[np.float32]]):
    """Compares pictures with a gallery of pictures whose identity is known."""

    reads = frozenset({"embedding"})

    def __init__(
        self,
        model_id: str,
        model_config: ModelConfig | dict[str, Any] | None = None,
        *,
        server: str | None = None,
    ) -> None:
        """Name a model that gives embeddings; as VisionService, without its hooks."""
        super().__init__(model_id, model_config, server=server)
        self.gallery = Gallery()

    def set_per_id_gallery_limit(self, count: int, drop_method: DropMethod = "drop_random") -> None:
        """Keep at most so many pictures an identity; the newest one always stays.

        Raises:
            BadArgument: the count is not positive, or the method is unknown.
        """
        self.gallery.set_limit(count, drop_method)

    def add_to_gallery(self, image: Image, id: Hashable) -> None:  # noqa: A002 - edgeIQ's name
        """Remember a crop (H, W, 3) BGR of an identity.

        Raises:
            BadImage, BadArgument, NotLoaded, InferenceError: as re_id_image;
                the id cannot be hashed.
        """
        if not isinstance(id, Hashable):
            raise BadArgument(f"add_to_gallery: id is {id!r}, expected a number or a text")
        self.gallery.add(id, self._features(image)[0])

    def re_id_image(self, image: Image) -> ReIdentificationResults:
        """Rank the identities of the gallery by likeness to a crop (H, W, 3) BGR.

        Raises:
            BadImage, NotLoaded: what was given or done is wrong.
            InferenceError: the server or the model; see camfleet.inference.errors.
        """
        vector, origin = self._features(image)
        return ReIdentificationResults(self.gallery.nearest(vector), **origin, features=vector)

    def _features(self, image: Image) -> tuple[NDArray[np.float32], dict[str, Any]]:
        found = self._find(image, 0.0, 0.0)
        if not found.predictions:
            raise InferenceRefused(self.model_id, "it answered without an embedding")
        return found.predictions[0], found.origin()

    def _predictions(self, reading: Reading) -> list[NDArray[np.float32]]:
        return [] if reading.found.embeddings is None else list(reading.found.embeddings)
