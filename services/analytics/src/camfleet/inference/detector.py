"""Detection of one picture: ask, then decode with the manifest of the version that answered."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol, TypeVar

import av

from camfleet.decoders import UnknownDecoder, get_decoder
from camfleet.decoders.outputs import UnexpectedOutputs
from camfleet.detections import Detections
from camfleet.inference.batches import takes_batch
from camfleet.inference.errors import InferenceRefused, NoDecoder
from camfleet.inference.model_client import Answer, ModelClient, Prepare
from camfleet.inference.pictures import Picture
from camfleet.inference.served_model import ServedModel
from camfleet.video.once import Once
from camfleet_contracts.model_manifest import ModelManifest, Postprocess

MOST_BESIDE = 8  # requests of all cameras whose model takes no batches
MAX_APART = 64

Read = TypeVar("Read")
Ask = Callable[[], Answer]


@dataclass(frozen=True, slots=True)
class Detected:
    """What one version of a model found in one picture."""

    detections: Detections
    model: ServedModel
    duration_s: float  # of the request, on the wire and in the server
    scale_s: float = 0.0  # processor time of making the input
    is_shared: bool = False  # somebody else's request for the same picture brought it


class Detector(Protocol):
    """Finds objects in pictures; may be called from many threads."""

    def detect(
        self, picture: av.VideoFrame, reference: str, confidence: float, once: Once | None = None
    ) -> Detected:
        """Ask a model about a picture; raises InferenceError.

        Args:
            picture: as it was decoded.
            reference: "name" or "name:version".
            confidence: of the weakest objects to find.
            once: of this picture; what others have asked the same model is not asked again.
        """

    def detect_all(
        self, pictures: Sequence[av.VideoFrame], reference: str, confidence: float
    ) -> list[Detected]:
        """Ask a model about several pictures at once; raises InferenceError."""


class ServerDetector:
    """A Detector that asks the model server."""

    def __init__(self, client: ModelClient) -> None:
        self._client = client
        self._beside = ThreadPoolExecutor(MOST_BESIDE, "detect")  # its threads start on first use
        self._apart: set[tuple[str, int]] = set()  # versions that are not asked in batches

    def detect(
        self, picture: Picture, reference: str, confidence: float, once: Once | None = None
    ) -> Detected:
        """Ask a model about a picture, `once` for all who look at it; raises InferenceError."""
        ask = partial(self._client.ask, picture, reference)
        first = ask if once is None else partial(self._ask_once, once, ask, reference)
        return self._read(first, ask, reference, partial(read_answer, confidence=confidence))

    def detect_all(
        self, pictures: Sequence[Picture], reference: str, confidence: float
    ) -> list[Detected]:
        """Ask a model about several pictures at once; raises InferenceError."""
        return self.ask_all(
            pictures,
            reference,
            lambda answers: [read_answer(answer, confidence) for answer in answers],
        )

    def ask(
        self,
        picture: Picture,
        reference: str,
        read: Callable[[Answer], Read],
        prepare: Prepare | None = None,
    ) -> Read:
        """Ask and read; an answer that does not fit what was known of its version is redone.

        Raises:
            InferenceError: see inference.errors, and what `read` raises but UnexpectedOutputs.
        """
        ask = partial(self._client.ask, picture, reference, prepare)
        return self._read(ask, ask, reference, read)

    def _read(
        self, ask: Ask, ask_anew: Ask, reference: str, read: Callable[[Answer], Read]
    ) -> Read:
        try:
            return read(ask())
        except UnexpectedOutputs:
            self._client.forget(reference)
        answer = ask_anew()
        try:
            return read(answer)
        except UnexpectedOutputs as error:
            raise InferenceRefused(answer.model.name, str(error)) from error

    def _ask_once(self, once: Once, ask: Ask, reference: str) -> Answer:
        """The raw answer is shared: everybody decodes it with its own confidence."""
        known = self._client.current(reference)
        answer, is_own = once.ask((known.name, known.version), ask)
        if is_own:
            return answer
        wanted = reference.partition(":")[2]
        return (
            replace(answer, is_shared=True) if wanted in {"", str(answer.model.version)} else ask()
        )

    def ask_all(
        self,
        pictures: Sequence[Picture],
        reference: str,
        read: Callable[[Sequence[Answer]], list[Read]],
        prepare: Prepare | None = None,
    ) -> list[Read]:
        """One request where the model takes them as a batch, else requests beside each other."""
        model = self._client.current(reference)
        key = (model.name, model.version)
        if takes_batch(model, len(pictures)) and key not in self._apart:
            try:
                return read(self._client.ask_together(pictures, reference, prepare))
            except (InferenceRefused, UnexpectedOutputs):  # one by one tells whose fault it is
                self._apart = {key} if len(self._apart) >= MAX_APART else self._apart | {key}

        def ask(picture: Picture) -> Read:
            return self.ask(picture, reference, lambda answer: read([answer])[0], prepare)

        return list(self._beside.map(ask, pictures))

    def close(self) -> None:
        """End the threads of requests beside each other; the client stays."""
        self._beside.shutdown(wait=False)


def postprocess_of(manifest: ModelManifest, model: str) -> Postprocess:
    """What a manifest says of reading answers.

    Raises:
        InferenceError: NoDecoder, or InferenceRefused where it names a decoder that is none.
    """
    if manifest.postprocess is None:
        raise NoDecoder(model)
    try:
        get_decoder(manifest.postprocess.decoder)
    except UnknownDecoder as error:
        raise InferenceRefused(model, f"{error}; correct it in model.json") from error
    return manifest.postprocess


def read_answer(answer: Answer, confidence: float, iou: float | None = None) -> Detected:
    """Decode with the manifest of the version that answered; its own `iou` where none is given.

    Raises:
        UnexpectedOutputs: the tensors are not what its decoder reads.
        InferenceError: NoDecoder, or InferenceRefused where its manifest cannot be followed.
    """
    manifest = answer.model.manifest
    postprocess = postprocess_of(manifest, answer.model.name)
    decode = get_decoder(postprocess.decoder)
    overlap = postprocess.iou if iou is None else iou
    try:
        found = decode(answer.outputs, _named(manifest, answer), answer.resize, confidence, overlap)
    except UnexpectedOutputs:
        raise
    except (ValueError, TypeError, IndexError, KeyError) as error:  # what a manifest can cause
        reason = f"its postprocess does not fit: {error!r}; correct it in model.json"
        raise InferenceRefused(answer.model.name, reason) from error
    return Detected(found, answer.model, answer.duration_s, answer.scale_s, answer.is_shared)


def _named(manifest: ModelManifest, answer: Answer) -> ModelManifest:
    """The manifest with an id for messages, where it has none."""
    return manifest if manifest.id else manifest.model_copy(update={"id": answer.model.name})
