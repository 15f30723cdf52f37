"""What is loaded: an immutable snapshot that is swapped as a whole."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from camfleet_server.errors import (
    ModelNotFound,
    ModelNotReady,
    ModelVersionNotFound,
    ModelVersionRetired,
    ServerError,
    UnknownLabel,
)
from camfleet_server.serving.load_log import LoadLog
from camfleet_server.serving.model_version import LoadedVersion
from camfleet_server.types import VersionState, VersionStatus

NO_VERSION = 0  # versions begin at 1


@dataclass(frozen=True, slots=True)
class ServedModel:
    """One model: its AVAILABLE versions, and the state of every version known."""

    name: str
    versions: Mapping[int, LoadedVersion] = field(default_factory=dict)
    statuses: tuple[VersionStatus, ...] = ()  # newest version first
    is_configured: bool = True  # False: it was once, and is kept to say so
    fault: str = ""  # why it has no version, or why its entry was refused
    labels: Mapping[str, int] = field(default_factory=dict)  # versions by label
    labels_fault: str = ""  # why version_labels.json as it is now is not used
    file: Path | None = None  # its base_path where that is a single model file

    @property
    def reason(self) -> str:
        """Why it cannot answer, as far as that is known, and what is wrong with its labels."""
        return "; ".join(filter(None, (self.reason_of_versions, self.labels_fault)))

    @property
    def reason_of_versions(self) -> str:
        """Why it cannot answer, as far as that is known."""
        reasons = [f"version {s.version}: {s.reason}" for s in self.statuses if s.reason]
        return "; ".join([self.fault, *reasons] if self.fault else reasons)

    @property
    def told_statuses(self) -> tuple[VersionStatus, ...]:
        """What clients are told: the statuses with the model's fault where there is room for it.

        A model without any version tells its fault as that of version 0.
        """
        fault = "; ".join(filter(None, (self.fault, self.labels_fault)))
        if not fault:
            return self.statuses
        if not self.statuses:
            return (VersionStatus(NO_VERSION, VersionState.START, fault),)
        return tuple(s if s.reason else replace(s, reason=fault) for s in self.statuses)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything that can be asked for at one moment."""

    models: Mapping[str, ServedModel] = field(default_factory=dict)
    ready: bool = False
    config_fault: str = ""  # why config.json was refused; empty when it was not
    faults: tuple[str, ...] = ("the first look at config.json and the volume is not over yet",)
    folder: Path = Path()  # what relative base paths are relative to


class Registry:
    """Holds the current snapshot; read by every request, written by the reconciler alone."""

    def __init__(self) -> None:
        self.snapshot = Snapshot()
        self.loads = LoadLog()

    def swap(self, snapshot: Snapshot) -> None:
        """Make a new snapshot the current one."""
        self.snapshot = snapshot

    def get_model(self, name: str) -> ServedModel:
        """Return a model by name, or by the path of the one file it is served from.

        Raises:
            ModelNotFound: no model of that name was ever configured.
        """
        model = self.snapshot.models.get(name) or _find_by_file(self.snapshot, name)
        if model is None:
            raise ModelNotFound(name)
        return model

    def labelled_version(self, name: str, label: str) -> int:
        """Return the version of a model that has a label.

        Raises:
            ModelNotFound, UnknownLabel.
        """
        model = self.get_model(name)
        if label not in model.labels:
            raise UnknownLabel(name, label, tuple(model.labels))
        return model.labels[label]

    def available_versions(self, name: str) -> tuple[int, ...]:
        """Return the AVAILABLE versions of a model, ascending; raises as `get_model`."""
        return tuple(sorted(self.get_model(name).versions))

    def get_version(self, name: str, number: int | None) -> LoadedVersion:
        """Return an AVAILABLE version, the highest when `number` is None.

        Raises:
            ModelNotFound, ModelVersionNotFound, ModelVersionRetired, ModelNotReady.
        """
        model = self.get_model(name)
        wanted = max(model.versions, default=None) if number is None else number
        loaded = model.versions.get(wanted) if wanted is not None else None
        if loaded is None:
            raise _why_not(model, number)
        return loaded


def _find_by_file(snapshot: Snapshot, name: str) -> ServedModel | None:
    """Find the model served from a file; clients of Axis cameras know no other name."""
    if not Path(name).suffix:
        return None
    path = snapshot.folder / name
    return next((model for model in snapshot.models.values() if model.file == path), None)


def _why_not(model: ServedModel, number: int | None) -> ServerError:
    if number is None:
        if model.is_configured:
            return ModelNotReady(model.name, None, model.reason)
        return ModelVersionRetired(model.name, max((s.version for s in model.statuses), default=0))
    status = next((s for s in model.statuses if s.version == number), None)
    if status is None:
        return ModelVersionNotFound(model.name, number)
    if status.state >= VersionState.UNLOADING and not status.reason:
        return ModelVersionRetired(model.name, number)
    return ModelNotReady(model.name, number, status.reason)
