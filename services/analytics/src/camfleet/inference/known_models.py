"""What a server tells of its models, remembered for a moment: versions, inputs, manifests."""

import json
import time
from dataclasses import dataclass

from camfleet.inference.channels import Channels
from camfleet.inference.errors import InferenceRefused, ModelMissing, NoDecoder
from camfleet.inference.kserve import MODEL_CONFIG, MODEL_METADATA, SERVER_METADATA
from camfleet.inference.served_model import ServedModel, TensorSpec
from camfleet_contracts.model_manifest import BadManifest, ModelManifest, parse_manifest
from camfleet_contracts.protocols import inference_pb2 as pb

MANIFEST_KEY = "camfleet.manifest"
IMAGE_EXTENSION = "camfleet_images"
LIFETIME_S = 2.0  # a version whose files changed in place is noticed after it
METADATA_DEADLINE_S = 3.0
ATTEMPTS = 4  # while versions change
MAX_KNOWN = 64
RESTLESS = "its version changes with every request"


@dataclass(frozen=True, slots=True)
class _Known:
    model: ServedModel
    fetched_s: float

    @property
    def is_fresh(self) -> bool:
        return time.monotonic() - self.fetched_s < LIFETIME_S


class KnownModels:
    """Versions by number, and the one that would answer now. Thread-safe.

    Whatever asks the server raises what inference.errors names.
    """

    def __init__(self, channels: Channels) -> None:
        self._channels = channels
        self._current: dict[str, _Known] = {}  # by reference, "name" or "name:version"
        self._versions: dict[tuple[str, int], _Known] = {}

    def current(self, reference: str) -> ServedModel:
        """The version a request would be answered by, as far as known; asked for when unknown."""
        known = self._current.get(reference)
        return known.model if known and known.is_fresh else self.refetch(reference)

    def version(self, name: str, version: int) -> ServedModel:
        """What is known of one version; asked for when unknown."""
        known = self._versions.get((name, version))
        return known.model if known and known.is_fresh else self._fetch(name, version)

    def note(self, reference: str, answered: ServedModel) -> None:
        """Remember which version answered."""
        self._current[reference] = _Known(answered, time.monotonic())

    def forget(self, reference: str) -> None:
        """Ask anew at the next picture."""
        name = reference.partition(":")[0]
        self._current.pop(reference, None)
        for key in [key for key in tuple(self._versions) if key[0] == name]:
            self._versions.pop(key, None)

    def refetch(self, reference: str) -> ServedModel:
        """Ask the server which version would answer, and what it is."""
        name, _, pinned = reference.partition(":")
        model = self._fetch(name, int(pinned)) if pinned else self._fetch_newest(name)
        self.note(reference, model)
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
            raise ModelMissing(name, self._channels.server)
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
            reply = self._channels.call(SERVER_METADATA, b"", name, METADATA_DEADLINE_S)
        except InferenceRefused:  # a server that does not tell
            return False
        return IMAGE_EXTENSION in reply.extensions

    def _metadata(self, name: str, version: str) -> pb.ModelMetadataResponse:
        request = pb.ModelMetadataRequest(name=name, version=version).SerializeToString()
        asked = f"{name}:{version}" if version else name
        return self._channels.call(MODEL_METADATA, request, asked, METADATA_DEADLINE_S)

    def _manifest(self, name: str, version: str) -> ModelManifest:
        request = pb.ModelConfigRequest(name=name, version=version).SerializeToString()
        reply = self._channels.call(MODEL_CONFIG, request, name, METADATA_DEADLINE_S)
        parameters = reply.config.parameters
        if MANIFEST_KEY not in parameters:
            raise NoDecoder(name)
        try:
            document = json.loads(parameters[MANIFEST_KEY].string_value)
            return parse_manifest(document, where=f"manifest of {name} version {version}")
        except (ValueError, BadManifest) as error:
            raise InferenceRefused(name, f"its manifest cannot be read: {error}") from error


def _picture_input(metadata: pb.ModelMetadataResponse) -> TensorSpec:
    """The first input with four dimensions, else the first one."""
    specs = [
        TensorSpec(tensor.name, tensor.datatype, tuple(tensor.shape)) for tensor in metadata.inputs
    ]
    rank = 4
    picture = next((spec for spec in specs if len(spec.shape) == rank), None)
    if picture is None and not specs:
        raise InferenceRefused(metadata.name, "the server says it has no inputs")
    return picture or specs[0]
