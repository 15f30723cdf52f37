"""What the private server serves: models of the volume, each as a service wishes it."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from camfleet.inference.errors import InferenceRefused
from camfleet.inference.model_client import ModelClient
from camfleet.placement.errors import ModelNotPulled
from camfleet.placement.private_server import PrivateServer
from camfleet.placement.wished_versions import lay_out
from camfleet_contracts.model_manifest import BadManifest, ModelManifest, read_manifest
from camfleet_contracts.names import split_version
from camfleet_contracts.serving_config import put_model
from camfleet_contracts.volume import versions_of


class Served(NamedTuple):
    """A model that the private server serves."""

    name: str  # there
    refusal: str = ""  # why none of the wished runtimes runs it; its own do


class PrivateModels:
    """Adds models to a private server when they are first asked for. Thread-safe."""

    def __init__(self, server: PrivateServer, client: ModelClient, models_dir: Path) -> None:
        self._server, self._client = server, client
        self._models_dir = models_dir.absolute()
        self._lock = threading.Lock()
        self._served: set[str] = set()

    def serve(self, reference: str, wishes: Sequence[str]) -> Served:
        """Serve "name" or "name:version" with these runtimes.

        Without wishes, and where none of them runs it, the model's own `runtimes` decide. It is
        the newest version unless one is named; others are not loaded.

        Raises:
            ModelNotPulled: the volume has no such version.
            InferenceError: the server refuses it; its reasons follow.
        """
        if not wishes:
            return Served(self._serve(reference, ()))
        try:
            return Served(self._serve(reference, wishes))
        except InferenceRefused as error:
            return Served(self._serve(reference, ()), refusal=_without_name(error.reason))

    def manifest(self, reference: str) -> ModelManifest:
        """What is said of "name" or "name:version"; it is served only where no file says it.

        Raises:
            ModelNotPulled: the volume has no such version.
            InferenceError: the server refuses it.
        """
        name, _ = split_version(reference)
        folder = self._folder_of(reference)
        with self._lock:
            return self._manifest(name, folder)

    def _folder_of(self, reference: str) -> Path:
        name, number = split_version(reference)
        versions = versions_of(self._models_dir / name)
        if not versions or (number is not None and number not in versions):
            raise ModelNotPulled(name, self._models_dir, number, sorted(versions))
        return versions[max(versions) if number is None else number]

    def _serve(self, reference: str, wishes: Sequence[str]) -> str:
        name, number = split_version(reference)
        folder = self._folder_of(reference)
        is_newest = number is None and not wishes
        served = name if is_newest else "--".join([name, folder.name, *wishes]).replace(":", ".")
        with self._lock:
            if served not in self._served:
                self._load(name, served, folder, wishes)
                self._served.add(served)
        return served

    def _load(self, name: str, served: str, folder: Path, wishes: Sequence[str]) -> None:
        entry: dict[str, Any] = {"name": served, "base_path": str(folder.parent)}
        if wishes:
            entry["base_path"] = str(self._server.folder / "wished" / served)
            lay_out(folder, self._manifest(name, folder), wishes, Path(entry["base_path"]))
        elif served != name:
            entry["model_version_policy"] = {"specific": {"versions": [int(folder.name)]}}
        put_model(self._server.config, entry)
        self._client.load(served)

    def _manifest(self, name: str, folder: Path) -> ModelManifest:
        """The manifest of a version; where it has none, the one that a server derives."""
        try:
            manifest = read_manifest(folder)
        except BadManifest:  # the server says it
            manifest = None
        if manifest is not None:
            return manifest
        put_model(self._server.config, {"name": name, "base_path": str(folder.parent)})
        self._client.load(name)
        self._served.add(name)
        return self._client.current(name).manifest


def _without_name(reason: str) -> str:
    """A refusal without the name that the model has in our config.json only."""
    return reason.partition(", ")[2] or reason
