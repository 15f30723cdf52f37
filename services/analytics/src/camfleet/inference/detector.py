"""Detection of one picture: ask, then decode with the manifest of the version that answered."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import av

from camfleet.decoders import UnknownDecoder, get_decoder
from camfleet.decoders.outputs import UnexpectedOutputs
from camfleet.detections import Detections
from camfleet.inference.batches import takes_batch
from camfleet.inference.errors import InferenceRefused, NoDecoder
from camfleet.inference.model_client import Answer, ModelClient
from camfleet.inference.served_model import ServedModel
from camfleet_contracts.model_manifest import ModelManifest

MOST_BESIDE = 8  # requests of all cameras whose model takes no batches
MAX_APART = 64


@dataclass(frozen=True, slots=True)
class Detected:
    """What one version of a model found in one picture."""

    detections: Detections
    model: ServedModel
    duration_s: float  # of the request, on the wire and in the server
    scale_s: float = 0.0  # processor time of making the input


class Detector(Protocol):
    """Finds objects in pictures; may be called from many threads."""

    def detect(self, picture: av.VideoFrame, reference: str, confidence: float) -> Detected:
        """Ask a model about a picture; raises InferenceError."""

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

    def detect(self, picture: av.VideoFrame, reference: str, confidence: float) -> Detected:
        """Ask and decode; an answer that does not fit what was known of its version is redone."""
        answer = self._client.ask(picture, reference)
        try:
            return _decoded(answer, confidence)
        except UnexpectedOutputs:
            self._client.forget(reference)
        answer = self._client.ask(picture, reference)
        try:
            return _decoded(answer, confidence)
        except UnexpectedOutputs as error:
            raise InferenceRefused(answer.model.name, str(error)) from error

    def detect_all(
        self, pictures: Sequence[av.VideoFrame], reference: str, confidence: float
    ) -> list[Detected]:
        """One request where the model takes them as a batch, else requests beside each other."""
        model = self._client.current(reference)
        key = (model.name, model.version)
        if takes_batch(model, len(pictures)) and key not in self._apart:
            try:
                answers = self._client.ask_together(pictures, reference)
                return [_decoded(answer, confidence) for answer in answers]
            except (InferenceRefused, UnexpectedOutputs):  # one by one tells whose fault it is
                self._apart = {key} if len(self._apart) >= MAX_APART else self._apart | {key}
        one_by_one = partial(self.detect, reference=reference, confidence=confidence)
        return list(self._beside.map(one_by_one, pictures))


def _decoded(answer: Answer, confidence: float) -> Detected:
    manifest = answer.model.manifest
    postprocess = manifest.postprocess
    if postprocess is None:
        raise NoDecoder(answer.model.name)
    try:
        decode = get_decoder(postprocess.decoder)
    except UnknownDecoder as error:
        raise InferenceRefused(answer.model.name, str(error)) from error
    try:
        found = decode(
            answer.outputs, _named(manifest, answer), answer.resize, confidence, postprocess.iou
        )
    except UnexpectedOutputs:
        raise
    except (ValueError, TypeError, IndexError, KeyError) as error:  # what a manifest can cause
        reason = f"its postprocess does not fit: {error!r}; correct it in model.json"
        raise InferenceRefused(answer.model.name, reason) from error
    return Detected(found, answer.model, answer.duration_s, answer.scale_s)


def _named(manifest: ModelManifest, answer: Answer) -> ModelManifest:
    """The manifest with an id for messages, where it has none."""
    return manifest if manifest.id else manifest.model_copy(update={"id": answer.model.name})
