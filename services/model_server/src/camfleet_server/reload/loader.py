"""Threads that try out, load and warm up versions, so that nothing else waits for it."""

import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from camfleet_server.reload.loading import load_servable, warm_up
from camfleet_server.reload.manifests import publish_manifest
from camfleet_server.reload.probe import Prober, ProbeStopped
from camfleet_server.reload.repository import Stamps, stamps_of
from camfleet_server.runtimes.base import LoadError, ModelSource, Servable
from camfleet_server.runtimes.table import Runtimes
from camfleet_server.serving.model_version import LoadedVersion
from camfleet_server.serving.scheduler import Scheduler

logger = logging.getLogger(__name__)

_THREADS = 2  # one model that hangs in its probe does not keep the others from loading


@dataclass(frozen=True, slots=True)
class LoadJob:
    """One version to load, as it was when the volume was last looked at."""

    source: ModelSource
    key: str
    content: str  # known to the probe when it passed before
    stamps: Stamps


@dataclass(frozen=True, slots=True)
class LoadResult:
    """How a job ended: loaded, or refused with a reason, or neither when the files changed."""

    job: LoadJob
    loaded: LoadedVersion | None = None
    refusal: str = ""


class Loader:
    """Works through jobs in order and reports each result from its own threads."""

    def __init__(
        self,
        prober: Prober,
        runtimes: Runtimes,
        queue_limit: int,
        report: Callable[[LoadResult], None],
    ) -> None:
        self._prober = prober
        self._runtimes = runtimes
        self._queue_limit = queue_limit
        self._report = report
        self._is_stopping = False
        self._jobs: queue.SimpleQueue[LoadJob | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._run, name=f"loader-{number}", daemon=True)
            for number in range(_THREADS)
        ]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def submit(self, job: LoadJob) -> None:
        """Queue a job; its result is reported later."""
        self._jobs.put(job)

    @property
    def is_loading(self) -> bool:
        """Tell, after `stop`, whether a load did not end in time."""
        return any(thread.is_alive() for thread in self._threads)

    def stop(self, timeout_s: float) -> None:
        """End the threads; loads under way are given `timeout_s`, queued ones and probes none."""
        deadline = time.monotonic() + timeout_s
        self._is_stopping = True
        for _ in self._threads:
            self._jobs.put(None)
        self._prober.stop()
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None and not self._is_stopping:
            try:
                self._report(self._load(job))
            except ProbeStopped:
                return

    def _load(self, job: LoadJob) -> LoadResult:
        try:
            self._prober.try_out(job.source, job.content)
            servable = load_servable(job.source, self._runtimes)
            warm_up(servable, runs=servable.slots)
            if stamps_of(job.source.folder) != job.stamps:
                servable.close()
                return LoadResult(job)
            self._prober.remember(job.content)
        except (LoadError, OSError) as error:
            return LoadResult(job, refusal=str(error))
        except ProbeStopped:
            raise
        # The load ends here whatever a vendor's library raised; the model is refused with it.
        except Exception as error:
            logger.exception("load failed model=%s", job.source.name)
            return LoadResult(job, refusal=f"{type(error).__name__}: {error}")
        return LoadResult(job, self._as_loaded(job, servable))

    def _as_loaded(self, job: LoadJob, servable: Servable) -> LoadedVersion:
        source = job.source
        return LoadedVersion(
            name=source.name,
            number=source.version,
            key=job.key,
            servable=servable,
            scheduler=Scheduler(source.name, servable.slots, self._queue_limit),
            manifest=publish_manifest(source.manifest, servable.inputs, servable.outputs),
        )
