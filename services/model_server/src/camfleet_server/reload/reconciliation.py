"""One pass after the other from what is loaded towards what config.json and the volume want."""

import logging
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from camfleet_contracts.catalog import Catalog
from camfleet_contracts.volume import others_of_number
from camfleet_server.memory import trim_memory
from camfleet_server.metrics import ServerMetrics
from camfleet_server.reload.config_source import ConfigSource
from camfleet_server.reload.following import FollowedConfig
from camfleet_server.reload.labels import LabelFiles, Labels
from camfleet_server.reload.load_news import LoadNews
from camfleet_server.reload.loader import Breakage, LoadJob, LoadResult
from camfleet_server.reload.manifests import CatalogFile
from camfleet_server.reload.mending import note_broken, pause_s, put_off, start_mending
from camfleet_server.reload.model_state import ModelState, Refusal
from camfleet_server.reload.readiness import Readiness
from camfleet_server.reload.repository import FoundVersions, ModelRepository, VersionFiles
from camfleet_server.runtimes.base import ModelSource
from camfleet_server.serving.model_version import LoadedVersion
from camfleet_server.serving.registry import Registry, Snapshot

logger = logging.getLogger(__name__)

_GONE_AFTER_S = 1.0  # a folder empty for so long was meant to be, it is no swap under way


class Reconciliation:
    """The state of every model and the steps that change it. One thread uses it."""

    def __init__(
        self,
        source: ConfigSource,
        registry: Registry,
        metrics: ServerMetrics,
        submit: Callable[[LoadJob], None],
        report_drained: Callable[[LoadedVersion], None],
        *,
        is_explicit: bool = False,
    ) -> None:
        self._registry = registry
        self._metrics = metrics
        self._news = LoadNews(metrics, registry.loads)
        self._config = FollowedConfig(source, self._news, is_explicit=is_explicit)
        self._submit = submit
        self._report_drained = report_drained
        self._repository = ModelRepository()
        self._label_files = LabelFiles()
        self._catalog = CatalogFile(source.folder / "catalog.json")
        self._states: dict[str, ModelState] = {}
        self._to_retire: list[LoadedVersion] = []
        self._empty_since: dict[str, float] = {}
        self._readiness = Readiness()
        self._installed: list[tuple[LoadResult, LoadedVersion, bool]] = []  # not told of yet
        self.changes = 0  # versions that came or went
        self.expects_files = False  # a version is being published or comes to rest

    @property
    def config_fault(self) -> str:
        """Return why config.json cannot be used; empty when it can."""
        return self._config.fault

    @property
    def is_loading(self) -> bool:
        """Tell whether a version is on its way."""
        return any(state.loading for state in self._states.values())

    @property
    def is_settling(self) -> bool:
        """Tell whether something only waits for files to come to rest."""
        is_waiting = any(state.is_settling for state in self._states.values())
        is_half_written = self._config.is_settling or self._label_files.is_settling
        return is_waiting or is_half_written or bool(self._empty_since)

    @property
    def is_inferring(self) -> bool:
        """Tell whether somebody has a turn, or is still being waited for."""
        states = self._states.values()
        loaded = (version for state in states for version in state.loaded.values())
        return any(v.scheduler.running for v in loaded) or any(s.retiring for s in states)

    def folders(self) -> set[Path]:
        """Return the folders whose changes matter."""
        configs = [state.config for state in self._states.values() if state.config]
        return {self._config.folder, *(config.base_path for config in configs)}

    def run_pass(self) -> None:
        """Compare what is wanted with what is loaded, start what is missing, let go what is not."""
        self._config.take_up(self._states)
        catalog = self._catalog.read()
        self.expects_files = False
        for name, state in self._states.items():
            if self._config.is_followed(name):
                self._reconcile_alone(state, catalog)
            start_mending(state, self._submit)
        self._states = {n: state for n, state in self._states.items() if not state.is_forgotten}
        self._publish()
        # Only now: requests find the new snapshot before a version is told of, or another closes.
        installed, self._installed = self._installed, []
        for result, loaded, is_anew in installed:
            self._news.loaded(result, loaded, is_anew=is_anew)
        retirees, self._to_retire = self._to_retire, []
        for loaded in retirees:
            loaded.inference.mark_replaced()
            loaded.scheduler.close(partial(self._report_drained, loaded))

    def accept(self, result: LoadResult) -> None:
        """Take over what the loader made of a job; the next pass shows it."""
        source = result.job.source
        state = self._states[source.name]
        del state.loading[source.version]
        self._readiness.note_progress()
        if result.loaded:
            is_anew = self._install(state, result.loaded)
            self._installed.append((result, result.loaded, is_anew))
            state.jobs[source.version] = result.job
            return
        put_off(state, result)
        self._news.not_loaded(result)
        if result.refusal:
            state.refused[source.version] = Refusal(result.job.key, result.refusal)

    def note_broken(self, breakage: Breakage) -> None:
        """Have a version that answers nobody any more loaded anew."""
        state = self._states.get(breakage.model)
        if state is not None and note_broken(state, breakage):
            self._news.broken(breakage)

    @property
    def mend_pause_s(self) -> float | None:
        """In how many seconds a broken version may be loaded anew; None: there is none."""
        return pause_s(self._states.values())

    def finish(self, loaded: LoadedVersion) -> None:
        """Unload a version that is drained."""
        state = self._states[loaded.name]
        state.mark_drained(loaded.number)
        if loaded.number not in state.loaded:
            self._metrics.forget_version(loaded.name, loaded.number)
        loaded.close()
        trim_memory()
        self._news.unloaded(loaded)

    def follow(self, only: str | None) -> None:
        """Take up changes of one model, None: of all, and try again what was refused of it."""
        self._config.follow(only)
        for name, state in self._states.items():
            if only in (name, None):
                state.refused.clear()

    def rest(self) -> None:
        """Where models are loaded on request only: take up no changes until the next request."""
        self._config.rest()

    def close(self) -> None:
        """Unload everything; nobody asks any more."""
        self._registry.swap(Snapshot(faults=("the server is stopping",)))
        for state in self._states.values():
            for loaded in state.loaded.values():
                loaded.close()

    def _reconcile_alone(self, state: ModelState, catalog: Catalog) -> None:
        before = state.fault
        try:
            self._reconcile(state, catalog)
        # What nobody thought of costs the model it concerns, not the pass of the others.
        except Exception as error:
            fault = f"cannot be followed: {type(error).__name__}: {error}"
            if state.pass_fault != fault:  # else it were told at every pass
                logger.exception("model cannot be followed model=%s", state.name)
            state.pass_fault = fault
        else:
            state.pass_fault = ""
        if state.fault and state.fault != before:
            logger.warning("model waits model=%s reason=%s", state.name, state.fault)

    def _reconcile(self, state: ModelState, catalog: Catalog) -> None:
        try:
            found = self._find_versions(state)
        except OSError as error:
            state.fault = f"{error.filename}: cannot be read: {error.strerror}"
            return
        self._read_labels(state, found)
        folders = found.folders

        def look_at(number: int) -> VersionFiles:
            return self._repository.read_version(state.name, folders[number], catalog)

        stuck = state.stuck
        plan = state.plan(folders, look_at, is_gone_for_good=self._is_gone(state, folders))
        for number, reason in state.stuck.items() - stuck.items():
            logger.warning(
                "version waits model=%s version=%s reason=%s", state.name, number, reason
            )
        for number, files in plan.load:
            self._start_load(state, number, files)
        for number in plan.retire:
            self._to_retire.append(state.loaded.pop(number))
            state.mark_retiring(number)
            self.changes += 1

    def _find_versions(self, state: ModelState) -> FoundVersions:
        if state.config is None:
            return FoundVersions()
        found = self._repository.find_versions(state.config.base_path)
        if state.is_settling or found.is_publishing:
            self.expects_files = True
        return found

    def _read_labels(self, state: ModelState, found: FoundVersions) -> None:
        labels = Labels()
        if state.config and found.has_labels:
            labels = self._label_files.read(state.config.base_path)
        elif state.config:
            self._label_files.forget(state.config.base_path)
        if labels.fault and labels.fault != state.labels.fault:
            logger.warning("labels refused model=%s reason=%s", state.name, labels.fault)
        state.labels = labels

    def _is_gone(self, state: ModelState, folders: Mapping[int, Path]) -> bool:
        if folders or self.config_fault or not state.is_from_its_folder:
            self._empty_since.pop(state.name, None)
            return False
        since = self._empty_since.setdefault(state.name, time.monotonic())
        return time.monotonic() - since >= _GONE_AFTER_S

    def _start_load(self, state: ModelState, number: int, files: VersionFiles) -> None:
        assert state.config is not None  # noqa: S101 - only configured models are planned to load
        key = files.load_key(state.config)
        state.loading[number] = key
        source = ModelSource(state.name, number, files.folder, state.config, files.manifest)
        logger.info("version loading model=%s version=%s", state.name, number)
        for folder in others_of_number(files.folder):
            logger.warning(
                "folder ignored model=%s folder=%s reason=it has the number of %s",
                state.name,
                folder,
                files.folder.name,
            )
        takes_pictures = any(loaded.entrances.is_compiled for loaded in state.loaded.values())
        content = files.content_key(state.config)
        self._submit(LoadJob(source, key, content, files.stamps, takes_pictures))

    def _install(self, state: ModelState, loaded: LoadedVersion) -> bool:
        """Serve a version; True when it takes the place of one of the same number."""
        replaced = state.install(loaded)
        if replaced:
            self._to_retire.append(replaced)
            state.mark_retiring(replaced.number)
        scheduler = loaded.scheduler
        self._metrics.watch_version(
            loaded.name,
            loaded.number,
            slots=lambda: scheduler.slots,
            running=lambda: scheduler.running,
            waiting=lambda: scheduler.waiting,
        )
        self.changes += 1
        return replaced is not None

    def _publish(self) -> None:
        if self._config.is_known:
            self._readiness.look(is_busy=self.is_loading or self.is_settling)
        is_ready = self._readiness.is_reached
        models = {name: state.served() for name, state in self._states.items()}
        faults = [self.config_fault] if self.config_fault else []
        faults += [f"{name}: {m.reason}" for name, m in models.items() if m.reason]
        if not is_ready:
            on_way = [f"{n} version {v}" for n, s in self._states.items() for v in s.loading]
            faults += [f"still loading {', '.join(on_way)}"] if on_way else []
        told = Snapshot(models, is_ready, self.config_fault, tuple(faults), self._config.folder)
        self._registry.swap(told)
        self._metrics.tell_faults(len(faults))
