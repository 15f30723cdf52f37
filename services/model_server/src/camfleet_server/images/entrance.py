"""The two entrances of one version: the file's own tensors, and pictures on the same input."""

import logging
import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from camfleet_contracts.datatypes import get_datatype
from camfleet_contracts.model_manifest import ModelManifest, Preprocess
from camfleet_contracts.serving_config import ModelConfig
from camfleet_server.errors import InferenceFailed, ServerError
from camfleet_server.images.errors import EntranceClosed, NoPictureInput
from camfleet_server.images.fitting import ManifestFitting, PlainFitting
from camfleet_server.images.normalising import image_servable
from camfleet_server.images.picture_input import find_pictured, picture_input, plain_shape
from camfleet_server.images.reader import PictureReader
from camfleet_server.input_errors import WrongBatch
from camfleet_server.runtimes.base import LoadError, PictureInput, Servable, TakesPictures
from camfleet_server.types import Tensors, TensorSpec

logger = logging.getLogger(__name__)

_BYTES = "O"  # numpy's kind of arrays of bytes
_PICTURE_RANKS = (3, 4)  # (H, W, C) alone or (N, H, W, C)
_PIXEL_CHANNELS = (1, 3, 4)


class Entrances:
    """Made when a version is loaded; the graph for pictures is compiled by the first of them."""

    def __init__(
        self,
        name: str,
        number: int,
        servable: Servable,
        manifest: ModelManifest,
        config: ModelConfig,
    ) -> None:
        self._name = name
        self._number = number
        self._own = servable
        self._config = config
        self._preprocess = manifest.preprocess
        self._pictured = _find_pictured(servable) if manifest.preprocess else None
        self._specs = {spec.name: spec for spec in servable.inputs}
        if self._pictured:  # color_format may have put planes in its place
            self._specs.setdefault(self._pictured.name, self._pictured)
        self._is_closed = False
        self._compiled: tuple[PictureInput, Servable] | None = None
        self._failure = ""
        self._compiling = threading.Lock()

    def enter(self, given: Tensors, reader: PictureReader) -> tuple[Servable, Tensors]:
        """Return the servable for these inputs, and the inputs with pictures made tensors.

        Raises:
            InvalidInput: a picture cannot be used, or the input takes none.
            ServerBusy: pictures that wait for their inference hold too many bytes already.
            InferenceFailed: the graph for pictures cannot be compiled.
            EntranceClosed: the version was unloaded meanwhile; look the model up again.
        """
        # Nearly every request ends here, so it is one look at each array.
        if all(array.dtype.kind not in "Ou" for array in given.values()):
            return self._own, given
        servable, inputs = self._own, dict(given)
        for asked, array in given.items():
            spec = self._specs.get(self._own.input_aliases.get(asked, asked))
            if spec is None or not self._is_picture(array, spec):
                continue
            if self._is_pictured(spec) and self._pictured and self._preprocess:
                picture, servable = self._image_servable(self._pictured, self._preprocess)
                made = _read_preprocessed(array, picture, reader)
            else:
                made = _read_plain(array, spec, self._config, reader)
            inputs[asked] = reader.made.keep(made)
        return servable, inputs

    @property
    def is_compiled(self) -> bool:
        """Tell whether pictures came."""
        return self._compiled is not None

    def prepare(self) -> Servable | None:
        """Compile before the first picture comes; None: there is nothing to compile, or it fails.

        A failure is logged, and every picture will be told.
        """
        if self._pictured is None or self._preprocess is None:
            return None
        try:
            return self._image_servable(self._pictured, self._preprocess)[1]
        except ServerError:
            return None

    def close(self) -> None:
        """Free the graph for pictures; nobody infers any more."""
        self._is_closed = True
        compiled, self._compiled = self._compiled, None
        if compiled:
            compiled[1].close()

    def _is_picture(self, array: NDArray[Any], spec: TensorSpec) -> bool:
        if array.dtype.kind == _BYTES:
            return spec.datatype != "BYTES"
        if array.dtype != np.uint8 or not self._is_pictured(spec) or _fits(array, spec):
            return False
        return array.ndim in _PICTURE_RANKS and array.shape[-1] in _PIXEL_CHANNELS

    def _is_pictured(self, spec: TensorSpec) -> bool:
        return self._pictured is not None and spec.name == self._pictured.name

    def _image_servable(
        self, spec: TensorSpec, preprocess: Preprocess
    ) -> tuple[PictureInput, Servable]:
        compiled = self._compiled
        if compiled is None:
            with self._compiling:  # one compiles, the other pictures wait, own tensors do not
                compiled = self._compiled or self._compile(spec, preprocess)
                self._compiled = compiled
        return compiled

    def _compile(self, spec: TensorSpec, preprocess: Preprocess) -> tuple[PictureInput, Servable]:
        if not self._failure:
            try:
                picture = picture_input(spec, preprocess, self._config)
                return picture, image_servable(self._own, picture, self._config)
            except LoadError as error:
                if self._is_closed:
                    raise EntranceClosed from error
                self._failure = str(error)
            logger.error(
                "pictures cannot be taken model=%s version=%s reason=%s",
                self._name,
                self._number,
                self._failure,
            )
        raise InferenceFailed(self._name, self._number, f"pictures: {self._failure}")


def _find_pictured(servable: Servable) -> TensorSpec | None:
    if isinstance(servable, TakesPictures):
        return find_pictured(servable.picture_inputs)
    return find_pictured(servable.inputs)


def _read_preprocessed(
    array: NDArray[Any], picture: PictureInput, reader: PictureReader
) -> NDArray[np.uint8]:
    _, height, width, _ = picture.shape
    fitting = ManifestFitting(picture.name, picture.preprocess, (width, height), reader.max_pixels)
    if array.dtype.kind == _BYTES:
        return reader.read(_contents(array, picture.shape[0], picture.name), picture.name, fitting)
    frames = array[None] if array.ndim < len(picture.shape) else array
    _check_batch(len(frames), picture.shape[0], picture.name)
    return reader.fit(frames, picture.name, fitting)


def _read_plain(
    array: NDArray[Any], spec: TensorSpec, config: ModelConfig, reader: PictureReader
) -> NDArray[Any]:
    shape = plain_shape(spec, config)
    if shape is None:
        raise NoPictureInput(spec.name, spec.shape)
    contents = _contents(array, shape[0], spec.name)
    pixels = reader.read(contents, spec.name, PlainFitting(spec.name, shape))
    return pixels.astype(get_datatype(spec.datatype, spec.name).dtype, copy=False)


def _contents(array: NDArray[Any], batch: int, tensor: str) -> list[bytes]:
    _check_batch(array.size, batch, tensor)
    return list(array.reshape(-1))


def _check_batch(count: int, batch: int, tensor: str) -> None:
    """Refuse before anything is decoded what does not fit anyhow."""
    if count != batch and (batch >= 0 or count == 0):
        raise WrongBatch(tensor, batch, count)


def _fits(array: NDArray[Any], spec: TensorSpec) -> bool:
    return (
        spec.datatype == "UINT8"
        and array.ndim == len(spec.shape)
        and all(own in (-1, given) for own, given in zip(spec.shape, array.shape, strict=True))
    )
