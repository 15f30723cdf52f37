"""What all services have in common: one model, where it runs, and how it is asked."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from numbers import Real
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from camfleet.errors import BadArgument, NotLoaded, WrongPurpose
from camfleet.images import Colours, Image, check_image
from camfleet.inference.detector import postprocess_of, read_answer
from camfleet.inference.geometry import Resize
from camfleet.inference.model_client import Answer, Prepare, prepare_batch
from camfleet.inference.pictures import Picture
from camfleet.inference.served_model import ServedModel
from camfleet.placement.connections import Connection, connect
from camfleet.predictions import base_service
from camfleet.vision.engines import (
    Accelerator,
    Engine,
    EngineFallback,
    Running,
    difference,
    running_on,
    wishes_of,
)
from camfleet.vision.findings import Found, Reading
from camfleet.vision.hook_params import (
    PostProcessBatchParams,
    PostProcessParams,
    PreProcessBatchParams,
    PreProcessParams,
)
from camfleet.vision.hooks import BatchOfBoxes, Boxes, Hooks
from camfleet.vision.model_config import ModelConfig
from camfleet.vision.publishing import Publishing
from camfleet_contracts.model_manifest import ModelManifest
from camfleet_contracts.names import split_version

P = TypeVar("P")

_BRIGHTEST = 255


class VisionService(Publishing, Generic[P]):
    """One model, asked about images. Load it once; then it may be used from many threads.

    `P` is one of the predictions it makes.
    """

    reads: ClassVar[frozenset[str]]  # the decoders whose answers it understands

    def __init__(  # noqa: PLR0913 - edgeIQ's arguments
        self,
        model_id: str,
        model_config: ModelConfig | dict[str, Any] | None = None,
        pre_process: Callable[[PreProcessParams], NDArray[Any]] | None = None,
        pre_process_batch: Callable[[PreProcessBatchParams], NDArray[Any]] | None = None,
        post_process: Callable[[PostProcessParams], Sequence[P] | Boxes] | None = None,
        post_process_batch: Callable[[PostProcessBatchParams], Sequence[Sequence[P]] | BatchOfBoxes]
        | None = None,
        *,
        server: str | None = None,
    ) -> None:
        """Name a model; nothing is asked before load().

        Args:
            model_id: `user/name`, `name` or `name:version`.
            model_config: read its answers by this, and not by what the server says of it.
            pre_process: makes the input tensor of an image.
            pre_process_batch: makes the input tensor of several images.
            post_process: makes predictions of the output tensors of an image, or, as edgeIQ's,
                its boxes, confidences and indexes.
            post_process_batch: the same of several images, a list an image.
            server: host:port, a list by commas, dns:///, unix: or "local"; see docs/library.md.

        Raises:
            BadArgument: the id cannot be that of a model, or model_config that of a model.json.
        """
        if not isinstance(model_id, str):
            raise BadArgument(f"{type(self).__name__}: model id {model_id!r} is not text")
        try:
            name, version = split_version(model_id)
        except ValueError as error:
            raise BadArgument(f"{type(self).__name__}: {error}") from error
        self.model_id = model_id
        self._asked = self._reference = name if version is None else f"{name}:{version}"
        self._server = server
        self._given = None if model_config is None else ModelConfig.read(model_config)
        self._hooks = Hooks(pre_process, pre_process_batch, post_process, post_process_batch)
        self._connection: Connection | None = None
        self._manifest: ModelManifest | None = None
        self._running = Running(None, None)
        self._colors: NDArray[np.uint8] | None = None

    def __repr__(self) -> str:
        """The model, and what runs it."""
        engine, accelerator = self._running
        told = f" on {accelerator}" if accelerator else ""
        state = (f", {engine}{told}" if engine else "") if self._connection else ", not loaded"
        return f"{type(self).__name__}({self.model_id!r}{state})"

    def load(
        self,
        engine: Engine | str | None = None,
        accelerator: Accelerator | str | None = None,
    ) -> None:
        """Find a server and have it serve the model; `engine` says afterwards what runs it.

        A server of others keeps the runtime it has chosen; a private one takes the wished one,
        or the model's own where that cannot run it. EngineFallback warns where it is not what was
        wished for.

        Raises:
            UnsupportedEngine: there is none of that name, or not with that accelerator.
            WrongPurpose: the model is for another service.
            InferenceError: no server, no such model, it cannot be loaded, our key is refused.
        """
        wishes = wishes_of(engine, accelerator)
        connection, refusal = connect(self._server), ""
        with connection.saying_what_next():
            if connection.models is not None:
                self._reference, refusal = connection.models.serve(self._asked, wishes)
            manifest = connection.client.current(self._reference).manifest
        self._check_purpose(manifest)
        self._connection, self._manifest = connection, manifest
        self._running = running_on(manifest.served_by, wishes, engine)
        told = difference(engine, accelerator, wishes, manifest.served_by, refusal)
        if told is not None:
            warnings.warn(f"{self.model_id}: {told}", EngineFallback, stacklevel=2)

    @property
    def engine(self) -> Engine | None:
        """What runs the model; None before load() and where the server does not tell."""
        return self._running.engine

    @property
    def accelerator(self) -> Accelerator | None:
        """What it computes on; None before load() and where the server does not tell."""
        return self._running.accelerator

    @property
    def model_config(self) -> ModelConfig:
        """What is said of the model; before load() it is asked for, as scripts choose by it.

        Raises:
            InferenceError: no server, no such model, our key is refused.
        """
        if self._given is not None:
            return self._given
        if self._manifest is None:
            self._manifest = self._look_up()
        return ModelConfig(self._manifest)

    @property
    def labels(self) -> list[str]:
        """The model's labels by index; raises what model_config raises."""
        return list(self.model_config.labels)

    @property
    def colors(self) -> NDArray[np.uint8]:
        """A colour (blue, green, red) a label, as (N, 3); may be set. Raises as model_config."""
        if self._colors is None:
            self._colors = self.model_config.colors
        return self._colors

    @colors.setter
    def colors(self, colors: Colours) -> None:
        wanted = np.asarray(colors)
        expected = (len(self.model_config.labels), 3)
        if wanted.shape != expected or wanted.min() < 0 or wanted.max() > _BRIGHTEST:
            raise BadArgument(
                f"{self.model_id}: colors has shape {wanted.shape}, expected {expected}: blue, "
                "green and red of each label, 0 to 255"
            )
        self._colors = wanted.astype(np.uint8)

    def _look_up(self) -> ModelManifest:
        connection = connect(self._server)
        with connection.saying_what_next():
            if connection.models is not None:
                return connection.models.manifest(self._asked)
            return connection.client.current(self._asked).manifest

    def _published_model_id(self) -> str:
        return self.model_config.id or self.model_id

    def _predictions(self, reading: Reading) -> list[P]:
        """What was found as predictions of this service."""
        raise NotImplementedError

    def _hooked(self, found: Sequence[P] | Boxes, _: ServedModel) -> list[P]:
        """What a hook returned as predictions of this service."""
        predictions: Any = found
        return list(predictions)

    def _find(self, image: Image, confidence: float, overlap: float) -> Found[P]:
        """Ask about one image; raises BadImage, BadArgument, NotLoaded and InferenceError."""
        connection = self._ready(confidence, overlap)
        check_image(image, type(self).__name__)

        def read(answer: Answer) -> Found[P]:
            return self._read([answer], [image], confidence, overlap)[0]

        with connection.saying_what_next():
            return connection.detector.ask(image, self._reference, read, self._prepare())

    def _find_all(
        self, images: Sequence[Image], confidence: float, overlap: float
    ) -> list[Found[P]]:
        """Ask about several images, in one request where the model takes them as a batch."""
        connection = self._ready(confidence, overlap)
        for number, image in enumerate(images):
            check_image(image, f"{type(self).__name__}, image {number}")
        if not images:
            return []

        def read(answers: Sequence[Answer]) -> list[Found[P]]:
            return self._read(answers, images, confidence, overlap)

        with connection.saying_what_next():
            return connection.detector.ask_all(images, self._reference, read, self._prepare())

    def _ready(self, confidence: float, overlap: float) -> Connection:
        if self._connection is None or self._connection.client.is_closed:
            raise NotLoaded(type(self).__name__, self.model_id)
        for name, value in (("confidence_level", confidence), ("overlap_threshold", overlap)):
            if not (isinstance(value, Real) and 0 <= value <= 1):
                raise BadArgument(f"{self.model_id}: {name} is {value!r}, expected 0 to 1")
        return self._connection

    def _prepare(self) -> Prepare | None:
        """How the input is made where the server's manifest does not say it alone."""
        if self._given is None and not self._hooks.prepares:
            return None
        make = self._hooks.prepare if self._hooks.prepares else prepare_batch

        def prepare(
            pictures: Sequence[Picture], model: ServedModel
        ) -> tuple[NDArray[Any], list[Resize]]:
            return make(pictures, self._as_given(model))

        return prepare

    def _read(
        self, answers: Sequence[Answer], images: Sequence[Image], confidence: float, overlap: float
    ) -> list[Found[P]]:
        told = answers
        if self._given is not None:
            told = [replace(answer, model=self._as_given(answer.model)) for answer in answers]
        if self._hooks.reads:
            read = self._hooks.read(told, images, confidence, overlap)
            pairs = zip(read, told, strict=True)
            return [
                Found(self._hooked(those, one.model), one.duration_s, one.model)
                for those, one in pairs
            ]
        return [self._decoded(answer, confidence, overlap) for answer in told]

    def _decoded(self, answer: Answer, confidence: float, overlap: float) -> Found[P]:
        detected = read_answer(answer, confidence, overlap)
        reading = Reading(detected.detections, answer.resize.frame_size)
        return Found(self._predictions(reading), detected.duration_s, detected.model)

    def _as_given(self, model: ServedModel) -> ServedModel:
        return model if self._given is None else replace(model, manifest=self._given.manifest)

    def _check_purpose(self, served: ModelManifest) -> None:
        manifest = served if self._given is None else self._given.manifest
        if self._hooks.reads:
            return
        if postprocess_of(manifest, self.model_id).decoder not in self.reads:
            raise WrongPurpose(type(self).__name__, self.model_id, base_service(manifest))
