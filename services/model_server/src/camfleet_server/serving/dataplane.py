"""The one thing transports call: what the server can say and do, free of any protocol."""

import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from camfleet_server.errors import InferenceFailed, ModelNotReady, NoConfigFile, ServerError
from camfleet_server.images.errors import EntranceClosed
from camfleet_server.images.reader import MAX_IMAGE_PIXELS, PictureReader
from camfleet_server.metrics import ServerMetrics
from camfleet_server.serving.configuring import (
    check_models,
    faults_of_served,
    write_labels,
    write_models,
)
from camfleet_server.serving.durability import ModelBroken
from camfleet_server.serving.load_log import LoadRecord
from camfleet_server.serving.model_control import POLL, ModelControl
from camfleet_server.serving.model_version import LoadedVersion
from camfleet_server.serving.registry import NO_VERSION, Registry
from camfleet_server.serving.scheduler import SchedulerClosed
from camfleet_server.serving.statistics import StatisticsOfVersion
from camfleet_server.serving.validation import fit_inputs, rows_of, wanted_outputs
from camfleet_server.types import (
    InferRequest,
    InferResult,
    Manifest,
    ModelMetadata,
    Tensors,
    VersionState,
    VersionStatus,
    WantedModel,
)

_MAX_SWAPS = 16  # a request that meets this many swaps in a row is told to come back
_MAX_BROKEN = 2  # the second broken one may well be its own doing
_REPLACEMENT_LIMIT_S = 15.0  # a small board with a busy core needs more than 5
_BROKEN = "a request broke it and it is being reloaded; try again"


class Reloader(Protocol):
    """Whoever brings what is served in line with config.json and the volume."""

    def reload(self, timeout_s: float, only: str | None = None) -> bool:
        """Reconcile now, failed versions too; True when something changed.

        `only` names the one model that counts, where changes are taken up on request only.

        Raises:
            ReloadFailed: config.json was refused.
        """
        ...


class DataPlane:
    """Answers from the registry's current snapshot; safe to call from any thread."""

    def __init__(
        self,
        registry: Registry,
        reloader: Reloader,
        metrics: ServerMetrics,
        config_path: Path | None = None,  # None: one model from the command line
        max_image_pixels: int = MAX_IMAGE_PIXELS,
        model_control: str = POLL,
    ) -> None:
        self._registry = registry
        self._reloader = reloader
        self._metrics = metrics
        self._config_path = config_path
        self._control = ModelControl(model_control, config_path, registry, reloader)
        self._pictures = PictureReader(max_image_pixels, metrics.observe_decoding)

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
            name=loaded.name,
            version=loaded.number,
            versions=self._registry.available_versions(name),
            inputs=loaded.servable.inputs,
            outputs=loaded.servable.outputs,
            platform=loaded.servable.platform,
            manifest=loaded.manifest,
        )

    def manifest(self, name: str, version: int | None = None) -> Manifest:
        """Return the manifest, labels inlined; raises as `model_metadata`."""
        return self._registry.get_version(name, version).manifest

    def infer(self, request: InferRequest) -> InferResult:
        """Infer in the calling thread, waiting for its turn; raises any error of the tree."""
        met_broken = 0
        for _ in range(_MAX_SWAPS):
            loaded = self._registry.get_version(request.model, request.version)
            began_at = time.perf_counter()
            try:
                outputs = _infer(loaded, request, self._metrics, self._pictures)
            except (SchedulerClosed, EntranceClosed):
                continue  # swapped between the look-up and here: the next one is there already
            except ModelBroken:
                met_broken += 1
                if met_broken < _MAX_BROKEN and _is_replaced(loaded, request):
                    continue
                raise ModelNotReady(loaded.name, loaded.number, _BROKEN) from None
            except ServerError as error:
                loaded.statistics.fail(time.perf_counter() - began_at)
                error.model = loaded.name
                raise
            return InferResult(loaded.name, loaded.number, outputs, loaded.manifest)
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

    def last_loads(self) -> tuple[LoadRecord, ...]:
        """Return the last loads, newest first."""
        return self._registry.loads.newest_first()

    def statistics(
        self, name: str = "", version: int | None = None
    ) -> tuple[StatisticsOfVersion, ...]:
        """Read the counters of one version, of all of a model, or of everything that is loaded.

        Raises:
            ModelNotFound, ModelVersionNotFound, ModelVersionRetired, ModelNotReady.
        """
        if name and version is not None:
            chosen = [self._registry.get_version(name, version)]
        elif name:
            chosen = list(self._registry.get_model(name).versions.values())
        else:
            models = self._registry.snapshot.models.values()
            chosen = [loaded for model in models for loaded in model.versions.values()]
        return tuple(StatisticsOfVersion(v.name, v.number, v.statistics.read()) for v in chosen)

    def load_model(self, name: str, config: Mapping[str, Any], files: Mapping[str, bytes]) -> None:
        """Load a model, or load it anew, and wait for it; see `ModelControl.load`."""
        self._control.load(name, config, files)

    def unload_model(self, name: str) -> None:
        """Unload a model; see `ModelControl.unload`."""
        self._control.unload(name)

    def loadable_models(self) -> tuple[str, ...]:
        """Name the models that could be loaded on request and never were."""
        return self._control.loadable()

    def labelled_version(self, name: str, label: str) -> int:
        """Return the version that has a label; raises ModelNotFound, UnknownLabel."""
        return self._registry.labelled_version(name, label)

    def apply_config(
        self, models: Sequence[WantedModel], timeout_s: float = 60.0
    ) -> tuple[str, ...]:
        """Serve these models and no others; returns what is not available when the time is up.

        Labels are written once all versions they name are there.

        Raises:
            InvalidInput: the configuration cannot be meant; nothing was written.
            ReloadFailed: config.json cannot be used or written.
            NoConfigFile: there is none.
        """
        if self._config_path is None:
            raise NoConfigFile("HandleReloadConfigRequest with a config")
        folder = self._config_path.parent
        deadline = time.monotonic() + timeout_s
        check_models(models, folder)
        write_models(self._config_path, models)
        self._reloader.reload(timeout_s)
        faults = faults_of_served(models, self._registry.get_model)
        if not faults and write_labels(models, folder):
            self._reloader.reload(max(1.0, deadline - time.monotonic()))
        return faults

    def reload(self, timeout_s: float = 60.0) -> bool:
        """Bring what is served in line now; True when that changed something.

        Raises:
            ReloadFailed: config.json was refused; what was served is still served.
        """
        return self._reloader.reload(timeout_s)


def _is_replaced(broken: LoadedVersion, request: InferRequest) -> bool:
    """Wait for what takes the place of a broken version, no longer than the request may."""
    left_s = math.inf if request.deadline is None else request.deadline - time.monotonic()
    return broken.inference.await_replacement(max(0.0, min(_REPLACEMENT_LIMIT_S, left_s)))


def _infer(
    loaded: LoadedVersion, request: InferRequest, metrics: ServerMetrics, pictures: PictureReader
) -> Tensors:
    entered_at = time.perf_counter()
    servable, given = loaded.entrances.enter(request.inputs, pictures)
    inputs = fit_inputs(given, servable.inputs, servable.input_aliases)
    wanted = wanted_outputs(request.outputs, servable.outputs, servable.output_aliases)
    asked_at = time.perf_counter()
    try:
        done = loaded.inference.infer(request, servable, inputs, tuple(wanted.values()))
    except ServerError:
        raise
    # A vendor's library may raise anything; the request ends here with its reason.
    except Exception as error:
        raise InferenceFailed(loaded.name, loaded.number, str(error)) from error
    waited_s, inferred_s = done.began_at - asked_at, done.ended_at - done.began_at
    metrics.observe_inference(loaded.name, loaded.number, waited_s=waited_s, inferred_s=inferred_s)
    if done.executed_rows:
        metrics.observe_batch(loaded.name, loaded.number, done.executed_rows)
    answer = {asked: done.outputs[name] for asked, name in wanted.items()}
    rows = rows_of(inputs, servable.inputs)
    loaded.statistics.succeed(
        input_s=asked_at - entered_at,
        queue_s=waited_s,
        infer_s=inferred_s,
        output_s=time.perf_counter() - done.ended_at,
        rows=rows,
        executed_rows=rows if done.executed_rows is None else done.executed_rows,
    )
    return answer
