"""The one thing transports call: what the server can say and do, free of any protocol."""

import time
from typing import Protocol

from camfleet_server.errors import InferenceFailed, ModelNotReady, ServerError
from camfleet_server.metrics import ServerMetrics
from camfleet_server.serving.model_version import LoadedVersion
from camfleet_server.serving.registry import NO_VERSION, Registry
from camfleet_server.serving.scheduler import SchedulerClosed
from camfleet_server.serving.validation import fit_inputs, wanted_outputs
from camfleet_server.types import (
    InferRequest,
    InferResult,
    Manifest,
    ModelMetadata,
    Tensors,
    VersionState,
    VersionStatus,
)

_MAX_SWAPS = 16  # a request that meets this many swaps in a row is told to come back


class Reloader(Protocol):
    """Whoever brings what is served in line with config.json and the volume."""

    def reload(self, timeout_s: float) -> bool:
        """Reconcile now, failed versions too; True when something changed.

        Raises:
            ReloadFailed: config.json was refused.
        """
        ...


class DataPlane:
    """Answers from the registry's current snapshot; safe to call from any thread."""

    def __init__(self, registry: Registry, reloader: Reloader, metrics: ServerMetrics) -> None:
        self._registry = registry
        self._reloader = reloader
        self._metrics = metrics

    def live(self) -> bool:
        """Tell whether the process answers."""
        return True

    def ready(self) -> bool:
        """Tell whether the first pass over config.json is through."""
        return self._registry.snapshot.ready

    def faults(self) -> tuple[str, ...]:
        """One line for each thing that is wrong: config.json, an entry, a version."""
        return self._registry.snapshot.faults

    def model_ready(self, name: str, version: int | None = None) -> bool:
        """Tell whether the version (None: any) is AVAILABLE; False also when it is unknown."""
        try:
            self._registry.get_version(name, version)
        except ServerError:
            return False
        return True

    def model_metadata(self, name: str, version: int | None = None) -> ModelMetadata:
        """Return the file's own tensor names, types and shapes.

        Raises:
            ModelNotFound, ModelVersionNotFound, ModelVersionRetired, ModelNotReady.
        """
        loaded = self._registry.get_version(name, version)
        return ModelMetadata(
            name=name,
            version=loaded.number,
            versions=self._registry.available_versions(name),
            inputs=loaded.servable.inputs,
            outputs=loaded.servable.outputs,
            platform=loaded.servable.platform,
        )

    def manifest(self, name: str, version: int | None = None) -> Manifest:
        """Return the manifest, labels inlined; raises as `model_metadata`."""
        return self._registry.get_version(name, version).manifest

    def infer(self, request: InferRequest) -> InferResult:
        """Infer in the calling thread, waiting for its turn; raises any error of the tree."""
        for _ in range(_MAX_SWAPS):
            loaded = self._registry.get_version(request.model, request.version)
            try:
                outputs = _infer(loaded, request, self._metrics)
            except SchedulerClosed:
                continue  # swapped between the look-up and here: the next one is there already
            return InferResult(request.model, loaded.number, outputs)
        raise ModelNotReady(request.model, request.version, "it is being replaced; try again")

    def statuses(self, name: str) -> tuple[VersionStatus, ...]:
        """Return the state of every known version of a model, newest first.

        Raises:
            ModelNotFound: no model of that name was ever configured.
        """
        return self._registry.get_model(name).told_statuses

    def all_statuses(self) -> dict[str, tuple[VersionStatus, ...]]:
        """Return the states of every model by name; a refused config.json is told as one more."""
        snapshot = self._registry.snapshot
        told = {name: model.told_statuses for name, model in snapshot.models.items()}
        if snapshot.config_fault:
            told["config.json"] = (
                VersionStatus(NO_VERSION, VersionState.END, snapshot.config_fault),
            )
        return told

    def reload(self, timeout_s: float = 60.0) -> bool:
        """Bring what is served in line now; True when that changed something.

        Raises:
            ReloadFailed: config.json was refused; what was served is still served.
        """
        return self._reloader.reload(timeout_s)


def _infer(loaded: LoadedVersion, request: InferRequest, metrics: ServerMetrics) -> Tensors:
    servable = loaded.servable
    inputs = fit_inputs(request.inputs, servable.inputs, servable.input_aliases)
    wanted = wanted_outputs(request.outputs, servable.outputs, servable.output_aliases)
    asked_at = time.perf_counter()
    with loaded.scheduler.turn(request):
        began_at = time.perf_counter()
        try:
            outputs = servable.infer(inputs, tuple(wanted.values()))
        # A vendor's library may raise anything; the request ends here with its reason.
        except Exception as error:
            raise InferenceFailed(request.model, loaded.number, str(error)) from error
        ended_at = time.perf_counter()
    metrics.observe_inference(
        loaded.name, loaded.number, waited_s=began_at - asked_at, inferred_s=ended_at - began_at
    )
    return {asked: outputs[name] for asked, name in wanted.items()}
