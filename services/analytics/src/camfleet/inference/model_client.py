"""Asks a model server (KServe v2 over gRPC) about pictures; one client serves all cameras."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from camfleet.inference.batches import split_batch
from camfleet.inference.channels import Access, Channels
from camfleet.inference.errors import InferenceError, InferenceRefused, ModelMissing, NoDecoder
from camfleet.inference.geometry import Resize
from camfleet.inference.pictures import Picture
from camfleet.inference.preprocessing import input_size, preprocess_of, to_pixels, to_tensor
from camfleet.inference.segments import SMALLEST_SEGMENT, Segments
from camfleet.inference.served_model import ServedModel, TensorSpec, UnusableModel
from camfleet_contracts.model_manifest import BadManifest, ModelManifest, parse_manifest

MANIFEST_KEY = "camfleet.manifest"
IMAGE_EXTENSION = "camfleet_images"
MANIFEST_LIFETIME_S = 2.0  # a version whose files changed in place is noticed after it
DEADLINE_S = 10.0
METADATA_DEADLINE_S = 3.0
ATTEMPTS = 4  # for one picture, while versions change under it
MAX_KNOWN = 64
RESTLESS = "its version changes with every request"


@dataclass(frozen=True, slots=True)
class Answer:
    """The raw tensors of one picture and what is needed to decode them."""

    outputs: Mapping[str, NDArray[Any]]
    model: ServedModel  # the version that answered, not the one that was asked
    resize: Resize
    duration_s: float
    scale_s: float = 0.0  # processor time of making the input
    is_shared: bool = False  # somebody else's request for the same picture brought it


@dataclass(frozen=True, slots=True)
class _Known:
    model: ServedModel
    fetched_s: float


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
        self._current: dict[str, _Known] = {}  # by reference, "name" or "name:version"
        self._versions: dict[tuple[str, int], _Known] = {}

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
                answered = self.version(model.name, version)
            except (InferenceRefused, ModelMissing):
                if refused == model:  # it is not that versions changed in this moment
                    raise
                refused, model = model, self._refetch(reference)
                continue
            self._current[reference] = _Known(answered, time.monotonic())
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
        """The version a request would be answered by, as far as known; asked for when unknown."""
        known = self._current.get(reference)
        if known and time.monotonic() - known.fetched_s < MANIFEST_LIFETIME_S:
            return known.model
        return self._refetch(reference)

    def version(self, name: str, version: int) -> ServedModel:
        """What is known of one version; asked for when unknown."""
        known = self._versions.get((name, version))
        if known and time.monotonic() - known.fetched_s < MANIFEST_LIFETIME_S:
            return known.model
        return self._fetch(name, version)

    def forget(self, reference: str) -> None:
        """Ask anew at the next picture."""
        name = reference.partition(":")[0]
        self._current.pop(reference, None)
        self._versions = {key: known for key, known in self._versions.items() if key[0] != name}

    def refusals(self) -> tuple[str, ...]:
        """What the server does not serve as it is told to, and why; one line each.

        Raises:
            InferenceError: the server is away, or has no repository index.
        """
        index = self._channels.call(
            lambda client, headers: client.get_model_repository_index(
                headers=headers, client_timeout=METADATA_DEADLINE_S
            ),
            "",
        )
        return tuple(_refusal(entry) for entry in index.models if entry.reason)

    def close(self) -> None:
        """Close the channels."""
        if self._segments is not None:
            self._segments.close()
        self._channels.close()

    def load(self, name: str) -> None:
        """Have a server with `--model-control explicit` serve a model; waits until it does.

        Raises:
            InferenceError: InferenceRefused with the server's reasons where it cannot.
        """
        self._channels.call(lambda client, headers: client.load_model(name, headers=headers), name)
        self.forget(name)

    def _refetch(self, reference: str) -> ServedModel:
        name, _, pinned = reference.partition(":")
        model = self._fetch(name, int(pinned)) if pinned else self._fetch_newest(name)
        self._current[reference] = _Known(model, time.monotonic())
        return model

    def _fetch_newest(self, name: str) -> ServedModel:
        """A version that goes while it is asked about makes room for its successor."""
        gone: int | None = None
        for _ in range(ATTEMPTS):
            newest = self._newest_version(name)
            try:
                return self._fetch(name, newest)
            except (InferenceRefused, ModelMissing):
                if newest == gone:  # it is still there: versions are not the reason
                    raise
                gone = newest
        raise InferenceRefused(name, RESTLESS)

    def _newest_version(self, name: str) -> int:
        metadata = self._metadata(name, "")
        numbers = [int(version) for version in metadata.versions if version.isdigit()]
        if not numbers:
            raise ModelMissing(name, self.server)
        return max(numbers)

    def _fetch(self, name: str, version: int) -> ServedModel:
        metadata = self._metadata(name, str(version))
        manifest = self._manifest(name, str(version))
        spec = _picture_input(metadata)
        has_entrance = manifest.preprocess is not None and spec.datatype != "UINT8"
        takes_pictures = has_entrance and self._server_takes_pictures(name)
        model = ServedModel(name, version, manifest, spec, takes_pictures)
        if len(self._versions) >= MAX_KNOWN:
            self._versions = {}
        self._versions[name, version] = _Known(model, time.monotonic())
        return model

    def _server_takes_pictures(self, name: str) -> bool:
        try:
            metadata = self._channels.call(
                lambda client, headers: client.get_server_metadata(
                    headers=headers, client_timeout=METADATA_DEADLINE_S
                ),
                name,
            )
        except InferenceRefused:  # a server that does not tell
            return False
        return IMAGE_EXTENSION in metadata.extensions

    def _metadata(self, name: str, version: str) -> Any:
        return self._channels.call(
            lambda client, headers: client.get_model_metadata(
                name, version, headers=headers, client_timeout=METADATA_DEADLINE_S
            ),
            name,
        )

    def _manifest(self, name: str, version: str) -> ModelManifest:
        response = self._channels.call(
            lambda client, headers: client.get_model_config(
                name, version, headers=headers, client_timeout=METADATA_DEADLINE_S
            ),
            name,
        )
        parameters = response.config.parameters
        if MANIFEST_KEY not in parameters:
            raise NoDecoder(name)
        try:
            document = json.loads(parameters[MANIFEST_KEY].string_value)
            return parse_manifest(document, where=f"manifest of {name} version {version}")
        except (ValueError, BadManifest) as error:
            raise InferenceRefused(name, f"its manifest cannot be read: {error}") from error

    def _infer(
        self, model: ServedModel, reference: str, tensor: NDArray[Any]
    ) -> tuple[dict[str, NDArray[Any]], int, float]:
        name, _, pinned = reference.partition(":")
        given = _infer_input(model, tensor)
        began = time.monotonic()
        with self._carried(given, tensor):
            result = self._channels.call(
                lambda client, headers: client.infer(
                    name, [given], model_version=pinned, headers=headers, client_timeout=DEADLINE_S
                ),
                name,
            )
        duration_s = time.monotonic() - began
        response = result.get_response()
        outputs = {output.name: result.as_numpy(output.name) for output in response.outputs}
        version = int(response.model_version) if response.model_version else model.version
        return outputs, version, duration_s

    def _carried(self, given: Any, tensor: NDArray[Any]) -> AbstractContextManager[None]:
        """Put the tensor into the request, or where the server can reach it until it is done."""
        if self._segments is not None and tensor.nbytes >= SMALLEST_SEGMENT:
            return self._segments.lend(given, tensor)
        given.set_data_from_numpy(tensor)
        return nullcontext()


def _refusal(entry: Any) -> str:
    """A reason with the version it is about; version 0 stands for all of a model or a file."""
    reason: str = entry.reason
    return reason if entry.version in {"", "0"} else f"{entry.name} v{entry.version}: {reason}"


def prepare_batch(
    pictures: Sequence[Picture], model: ServedModel
) -> tuple[NDArray[Any], list[Resize]]:
    made = [_tensor_of(picture, model) for picture in pictures]
    tensors, resizes = [tensor for tensor, _ in made], [resize for _, resize in made]
    return tensors[0] if len(tensors) == 1 else np.concatenate(tensors), resizes


def _tensor_of(picture: Picture, model: ServedModel) -> tuple[NDArray[Any], Resize]:
    preprocess = preprocess_of(model.manifest)
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


def _infer_input(model: ServedModel, tensor: NDArray[np.generic]) -> Any:
    from tritonclient import grpc as triton  # noqa: PLC0415 - slow to import
    from tritonclient.utils import np_to_triton_dtype  # noqa: PLC0415 - the same

    return triton.InferInput(model.input.name, list(tensor.shape), np_to_triton_dtype(tensor.dtype))


def _picture_input(metadata: Any) -> TensorSpec:
    """The first input with four dimensions, else the first one."""
    specs = [
        TensorSpec(tensor.name, tensor.datatype, tuple(tensor.shape)) for tensor in metadata.inputs
    ]
    rank = 4
    picture = next((spec for spec in specs if len(spec.shape) == rank), None)
    if picture is None and not specs:
        raise InferenceRefused(metadata.name, "the server says it has no inputs")
    return picture or specs[0]


__all__ = ["Access", "Answer", "InferenceError", "ModelClient", "Prepare", "prepare_batch"]
