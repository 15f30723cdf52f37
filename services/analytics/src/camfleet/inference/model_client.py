"""Asks a model server (KServe v2 over gRPC) about pictures; one client serves all cameras."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from camfleet.inference.batches import split_batch
from camfleet.inference.channels import Access, Channels
from camfleet.inference.errors import InferenceError, InferenceRefused, ModelMissing
from camfleet.inference.geometry import Resize
from camfleet.inference.known_models import ATTEMPTS, METADATA_DEADLINE_S, RESTLESS, KnownModels
from camfleet.inference.kserve import MODEL_INFER, REPOSITORY_INDEX, REPOSITORY_LOAD, outputs_of
from camfleet.inference.pictures import Picture
from camfleet.inference.preprocessing import input_size, preprocess_of, to_pixels, to_tensor
from camfleet.inference.segments import SMALLEST_SEGMENT, Segments
from camfleet.inference.served_model import ServedModel, UnusableModel
from camfleet_contracts.datatypes import InvalidTensor
from camfleet_contracts.protocols import inference_pb2 as pb
from camfleet_contracts.wire_requests import infer_request, shared_infer_request

DEADLINE_S = 10.0


@dataclass(frozen=True, slots=True)
class Answer:
    """The raw tensors of one picture and what is needed to decode them."""

    outputs: Mapping[str, NDArray[Any]]
    model: ServedModel  # the version that answered, not the one that was asked
    resize: Resize
    duration_s: float
    scale_s: float = 0.0  # processor time of making the input
    is_shared: bool = False  # somebody else's request for the same picture brought it


Prepare = Callable[[Sequence[Picture], ServedModel], tuple[NDArray[Any], list[Resize]]]
"""Makes the input tensor of a batch of pictures, and tells how each was fitted into it."""


class ModelClient:
    """Thread-safe. Every answer comes with the manifest of the version that gave it."""

    def __init__(
        self, server: str, access: Access | None = None, *, shares_memory: bool = False
    ) -> None:
        """`shares_memory`: the server is on this machine and takes tensors from /dev/shm."""
        self.server = server
        self._channels = Channels(server, access or Access())
        self._segments = Segments(self._channels) if shares_memory else None
        self._known = KnownModels(self._channels)
        self.is_closed = False

    def ask(self, picture: Picture, reference: str, prepare: Prepare | None = None) -> Answer:
        """Infer one picture with "name" or "name:version"; redone when the version changed.

        Raises:
            InferenceError: see inference.errors.
        """
        return self.ask_together([picture], reference, prepare)[0]

    def ask_together(
        self, pictures: Sequence[Picture], reference: str, prepare: Prepare | None = None
    ) -> list[Answer]:
        """Infer pictures as one batch, for which the model's batch must be open or of that size.

        `prepare` stands in for what the manifest says of the input.

        Raises:
            InferenceError: see inference.errors; OutputsOfABatch where answers do not divide.
        """
        model = self.current(reference)
        refused: ServedModel | None = None
        for _ in range(ATTEMPTS):
            began_s = time.thread_time()
            tensor, resizes = (prepare or prepare_batch)(pictures, model)
            scale_s = (time.thread_time() - began_s) / len(pictures)
            try:
                outputs, version, duration_s = self._infer(model, reference, tensor)
                answered = self._known.version(model.name, version)
            except (InferenceRefused, ModelMissing):
                if refused == model:  # it is not that versions changed in this moment
                    raise
                refused, model = model, self._known.refetch(reference)
                continue
            self._known.note(reference, answered)
            if answered.takes_same_input_as(model):
                return [
                    Answer(one, answered, resize, duration_s, scale_s)
                    for one, resize in zip(
                        split_batch(outputs, len(pictures), model.name), resizes, strict=True
                    )
                ]
            model = answered
        raise InferenceRefused(reference, RESTLESS)

    def current(self, reference: str) -> ServedModel:
        """The version a request would be answered by, as far as known; asked for when unknown.

        Raises:
            InferenceError: see inference.errors.
        """
        return self._known.current(reference)

    def forget(self, reference: str) -> None:
        """Ask anew about the model at the next picture."""
        self._known.forget(reference)

    def refusals(self) -> tuple[str, ...]:
        """What the server does not serve as it is told to, and why; one line each.

        Raises:
            InferenceError: the server is away, or has no repository index.
        """
        index = self._channels.call(REPOSITORY_INDEX, b"", timeout_s=METADATA_DEADLINE_S)
        return tuple(_refusal(entry) for entry in index.models if entry.reason)

    def close(self) -> None:
        """Close the channels."""
        self.is_closed = True
        if self._segments is not None:
            self._segments.close()
        self._channels.close()

    def load(self, name: str) -> None:
        """Have a server with `--model-control explicit` serve a model; waits until it does.

        Raises:
            InferenceError: InferenceRefused with the server's reasons where it cannot.
        """
        request = pb.RepositoryModelLoadRequest(model_name=name)
        self._channels.call(REPOSITORY_LOAD, request.SerializeToString(), name)
        self.forget(name)

    def _infer(
        self, model: ServedModel, reference: str, tensor: NDArray[Any]
    ) -> tuple[dict[str, NDArray[Any]], int, float]:
        name, _, pinned = reference.partition(":")
        began = time.monotonic()
        response = self._response(name, pinned, model.input.name, tensor)
        duration_s = time.monotonic() - began
        version = int(response.model_version) if response.model_version else model.version
        return _outputs(name, response), version, duration_s

    def _response(
        self, name: str, version: str, input_name: str, tensor: NDArray[Any]
    ) -> pb.ModelInferResponse:
        """Send the tensor, or have it lie where the server can reach it until it has answered."""
        if self._segments is None or tensor.nbytes < SMALLEST_SEGMENT:
            request = infer_request(name, version, input_name, tensor)
            return self._channels.call(MODEL_INFER, request, name, DEADLINE_S)
        with self._segments.lend(tensor) as segment:
            request = shared_infer_request(name, version, input_name, tensor, segment)
            return self._channels.call(MODEL_INFER, request, name, DEADLINE_S)


def _outputs(name: str, response: pb.ModelInferResponse) -> dict[str, NDArray[Any]]:
    try:
        return outputs_of(response)
    except InvalidTensor as error:
        raise InferenceRefused(name, f"its answer cannot be read: {error}") from error


def _refusal(entry: pb.RepositoryIndexResponse.ModelIndex) -> str:
    """A reason with the version it is about; version 0 stands for all of a model or a file."""
    reason = entry.reason
    return reason if entry.version in {"", "0"} else f"{entry.name} v{entry.version}: {reason}"


def prepare_batch(
    pictures: Sequence[Picture], model: ServedModel
) -> tuple[NDArray[Any], list[Resize]]:
    made = [_tensor_of(picture, model) for picture in pictures]
    tensors, resizes = [tensor for tensor, _ in made], [resize for _, resize in made]
    return tensors[0] if len(tensors) == 1 else np.concatenate(tensors), resizes


def _tensor_of(picture: Picture, model: ServedModel) -> tuple[NDArray[Any], Resize]:
    preprocess = preprocess_of(model.manifest, model.input)
    try:
        size = input_size(preprocess, model.input, model.name)
        if model.takes_pictures:
            return to_pixels(picture, preprocess, size)
        return to_tensor(picture, preprocess, model.input, size)
    except UnusableModel as error:
        raise InferenceRefused(model.name, str(error)) from error
    except (ValueError, TypeError, IndexError) as error:
        reason = f"its preprocess does not fit: {error}; correct it in model.json"
        raise InferenceRefused(model.name, reason) from error


__all__ = ["Access", "Answer", "InferenceError", "ModelClient", "Prepare", "prepare_batch"]
