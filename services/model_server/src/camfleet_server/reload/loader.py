"""Threads that try out, load and warm up versions, so that nothing else waits for it."""

import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from camfleet_server.images.entrance import Entrances
from camfleet_server.memory import trim_memory
from camfleet_server.reload.crowd_compiler import Crowd, CrowdCompiler
from camfleet_server.reload.loading import example_inputs, load_servable, warm_up
from camfleet_server.reload.manifests import publish_manifest, with_decoder
from camfleet_server.reload.probe import Prober, ProbeStopped
from camfleet_server.reload.repository import Stamps, stamps_of
from camfleet_server.runtimes.base import (
    ChoosesThreads,
    LoadError,
    ModelSource,
    Servable,
    ServesCrowds,
)
from camfleet_server.runtimes.table import Runtimes
from camfleet_server.serving.batching import BatchedInference
from camfleet_server.serving.durability import Durability, GuardedInference, shapes_of
from camfleet_server.serving.inference import Inference, SingleInference
from camfleet_server.serving.model_version import LoadedVersion
from camfleet_server.serving.scheduler import Scheduler
from camfleet_server.types import Tensors

logger = logging.getLogger(__name__)

_THREADS = 2  # one model that hangs in its probe does not keep the others from loading


@dataclass(frozen=True, slots=True)
class LoadJob:
    """One version to load, as it was when the volume was last looked at."""

    source: ModelSource
    key: str
    content: str  # known to the probe when it passed before
    stamps: Stamps
    takes_pictures: bool = False  # a version of the model was sent some
    durability: Durability = field(default_factory=Durability)  # of the version it replaces


@dataclass(frozen=True, slots=True)
class LoadResult:
    """How a job ended: loaded, or refused with a reason, or neither when the files changed."""

    job: LoadJob
    loaded: LoadedVersion | None = None
    refusal: str = ""
    probe_s: float = 0.0  # trying the files out in another process
    load_s: float = 0.0  # loading and warming up in this one
    took_s: float = 0.0  # all of it, however it ended

    @property
    def outcome(self) -> str:
        """Say it in one word."""
        if self.loaded:
            return "loaded"
        return "refused" if self.refusal else "dropped"


@dataclass(frozen=True, slots=True)
class Breakage:
    """A loaded version that answers nobody any more, known by its guard, and what it said."""

    model: str
    version: int
    guard: GuardedInference
    reason: str


@dataclass(frozen=True, slots=True)
class Reports:
    """Who is told what, from any thread."""

    ended: Callable[[LoadResult], None]
    broken: Callable[[Breakage], None]


class Loader:
    """Works through jobs in order and reports each result from its own threads."""

    def __init__(
        self,
        prober: Prober,
        runtimes: Runtimes,
        queue_limit: int,
        reports: Reports,
        *,
        for_crowds: bool = True,
        cache_dir: Path | None = None,
    ) -> None:
        self._cache_dir = cache_dir
        self._prober = prober
        self._runtimes = runtimes
        self._queue_limit = queue_limit
        self._reports = reports
        self._for_crowds = for_crowds
        self._compiler = CrowdCompiler()
        self._is_stopping = False
        self._jobs: queue.SimpleQueue[LoadJob | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._run, name=f"loader-{number}", daemon=True)
            for number in range(_THREADS)
        ]

    def start(self) -> None:
        """Start the threads."""
        self._compiler.start()
        for thread in self._threads:
            thread.start()

    def submit(self, job: LoadJob) -> None:
        """Queue a job; its result is reported later."""
        self._jobs.put(job)

    @property
    def is_loading(self) -> bool:
        """Tell, after `stop`, whether a load did not end in time."""
        is_loading = any(thread.is_alive() for thread in self._threads)
        return is_loading or self._compiler.is_compiling

    def stop(self, timeout_s: float) -> None:
        """End the threads; loads under way are given `timeout_s`, queued ones and probes none."""
        deadline = time.monotonic() + timeout_s
        self._is_stopping = True
        for _ in self._threads:
            self._jobs.put(None)
        self._prober.stop()
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        self._compiler.stop(max(0.0, deadline - time.monotonic()))

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None and not self._is_stopping:
            began_s = time.monotonic()
            try:
                result = self._load(job)
            except ProbeStopped:
                return
            self._reports.ended(replace(result, took_s=time.monotonic() - began_s))
            trim_memory()  # compiling leaves much behind

    def _load(self, job: LoadJob) -> LoadResult:
        try:
            source = replace(job.source, for_crowds=self._for_crowds, cache_dir=self._cache_dir)
            probe_s = self._prober.try_out(source, job.content)
            began_at = time.monotonic()
            servable = load_servable(source, self._runtimes)
            warm_up(servable, runs=servable.slots)
            _choose_threads(servable)
            if stamps_of(job.source.folder) != job.stamps:
                servable.close()
                return LoadResult(job)
            self._prober.remember(job.content)
            loaded = self._as_loaded(job, servable)
        except (LoadError, OSError) as error:
            return LoadResult(job, refusal=str(error))
        except ProbeStopped:
            raise
        # The load ends here whatever a vendor's library raised; the model is refused with it.
        except Exception as error:
            logger.exception("load failed model=%s", job.source.name)
            return LoadResult(job, refusal=f"{type(error).__name__}: {error}")
        if job.takes_pictures:
            _prepare_for_pictures(loaded)
        load_s = time.monotonic() - began_at
        return LoadResult(job, loaded, probe_s=probe_s, load_s=load_s)

    def _as_loaded(self, job: LoadJob, servable: Servable) -> LoadedVersion:
        source = job.source
        scheduler = Scheduler(source.name, servable.slots, self._queue_limit)
        if isinstance(servable, ServesCrowds) and self._for_crowds:
            servable.on_crowd = lambda met: self._compiler.submit(Crowd(source, scheduler, met))
        manifest = with_decoder(source, servable)
        return LoadedVersion(
            name=source.name,
            number=source.version,
            key=job.key,
            servable=servable,
            entrances=Entrances(source.name, source.version, servable, manifest, source.config),
            scheduler=scheduler,
            inference=self._guarded(job, servable, scheduler),
            manifest=publish_manifest(manifest, servable),
        )

    def _guarded(self, job: LoadJob, servable: Servable, scheduler: Scheduler) -> GuardedInference:
        source = job.source

        def report(guard: GuardedInference, reason: str) -> None:
            self._reports.broken(Breakage(source.name, source.version, guard, reason))

        example = example_inputs(servable.inputs)
        if example is not None:  # the warm-up answered it
            job.durability.note_answered(shapes_of(example))
        job.durability.note_loaded()
        inference = _inference(scheduler, source)
        return GuardedInference(inference, scheduler, job.durability, _example_of, report)


def _example_of(servable: Servable) -> Tensors | None:
    return example_inputs(servable.inputs)


def _choose_threads(servable: Servable) -> None:
    inputs = example_inputs(servable.inputs)
    if isinstance(servable, ChoosesThreads) and inputs is not None:
        servable.choose_threads(inputs)


def _prepare_for_pictures(loaded: LoadedVersion) -> None:
    """Do now what the first picture would wait for; own tensors do not depend on it."""
    servable = loaded.entrances.prepare()
    if servable is None:
        return
    try:
        warm_up(servable, runs=servable.slots)
    except LoadError as error:
        logger.warning("no warm-up for pictures model=%s reason=%s", loaded.name, error)


def _inference(scheduler: Scheduler, source: ModelSource) -> Inference:
    batching = source.manifest.batching
    if batching is None:
        return SingleInference(scheduler)
    delay_s = batching.max_queue_delay_us / 1_000_000
    return BatchedInference(scheduler, batching.max_batch_size, delay_s)
