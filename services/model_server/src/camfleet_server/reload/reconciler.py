"""The thread that keeps what is served in line with config.json and the model volume.

It owns the reconciliation. Loads happen in the loader's threads and come back as messages, as does
the end of a drained version; requests only ever see the registry's snapshots.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from camfleet_contracts.folder_watch import FolderWatch
from camfleet_server.errors import ReloadFailed
from camfleet_server.metrics import ServerMetrics
from camfleet_server.reload.config_source import ConfigSource
from camfleet_server.reload.loader import Breakage, Loader, LoadResult, Reports
from camfleet_server.reload.probe import Prober
from camfleet_server.reload.reconciliation import Reconciliation
from camfleet_server.runtimes.table import RUNTIMES, Runtimes, RuntimeTable
from camfleet_server.serving.registry import Registry

logger = logging.getLogger(__name__)

_SETTLING_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class ReconcilerOptions:
    """Values that come from the settings."""

    poll_s: float = 1.0  # 0: look only when asked to
    is_explicit: bool = False  # changes are taken up on request only, model by model
    queue_limit: int = 256
    for_crowds: bool = True  # models are compiled a second time when crowds come to them
    probe_limit_s: float = 60.0
    cache_dir: Path | None = None
    table: RuntimeTable = field(default_factory=lambda: RUNTIMES)


@dataclass(slots=True, eq=False)
class _ReloadCall:
    """Somebody waits for everything to be brought in line."""

    deadline: float
    changes_before: int = -1  # not begun yet
    answered: threading.Event = field(default_factory=threading.Event)
    changed: bool = False
    fault: str = ""


class Reconciler:
    """Starts and stops the threads behind the registry; `reload` may be called from any thread."""

    def __init__(
        self,
        source: ConfigSource,
        registry: Registry,
        metrics: ServerMetrics,
        options: ReconcilerOptions,
    ) -> None:
        self._options = options
        self._messages: deque[Callable[[], None]] = deque()
        self._wake = threading.Event()
        self._is_stopping = False
        self._calls: list[_ReloadCall] = []  # begun
        self._callers: set[_ReloadCall] = set()  # all that somebody waits for
        self._prober = Prober(options.table, options.cache_dir, options.probe_limit_s)
        runtimes = Runtimes(options.table)
        self._loader = Loader(
            self._prober,
            runtimes,
            options.queue_limit,
            Reports(ended=self._take_result, broken=self._take_breakage),
            for_crowds=options.for_crowds,
            cache_dir=options.cache_dir,
        )
        self._watcher = FolderWatch(self._wake.set, name="volume-watcher")
        self._reconciliation = Reconciliation(
            source,
            registry,
            metrics,
            submit=self._loader.submit,
            report_drained=lambda v: self._post(partial(self._reconciliation.finish, v)),
            is_explicit=options.is_explicit,
        )
        self._thread = threading.Thread(target=self._run, name="reconciler", daemon=True)

    def start(self) -> None:
        """Start watching and loading; returns at once."""
        self._loader.start()
        if self._options.poll_s:
            self._watcher.start()
        self._thread.start()

    def stop(self, timeout_s: float = 1.0) -> None:
        """Stop watching and loading and unload everything."""
        self._is_stopping = True
        self._wake.set()
        for call in tuple(self._callers):  # else they would hold up the end of the process
            self._refuse(call)
        self._loader.stop(timeout_s)
        self._watcher.stop()
        self._thread.join(timeout_s)
        if not self._thread.is_alive():
            self._reconciliation.close()

    @property
    def is_stuck(self) -> bool:
        """Tell, after `stop`, whether a thread did not end, one that infers among them."""
        is_loading = self._thread.is_alive() or self._loader.is_loading
        return is_loading or self._reconciliation.is_inferring

    def reload(self, timeout_s: float, only: str | None = None) -> bool:
        """Look at config.json and the volume now, and try again what was refused.

        `only` names the one model to look at, where changes are taken up on request only.
        Returns whether a version came or went until everything was through or the time was up.

        Raises:
            ReloadFailed: config.json was refused, what was served is still served; or the server
                is stopping.
        """
        call = _ReloadCall(time.monotonic() + timeout_s)
        self._callers.add(call)
        self._post(partial(self._begin_reload, call, only))
        if self._is_stopping:
            self._refuse(call)
        is_answered = call.answered.wait(timeout_s + 1)
        self._callers.discard(call)
        if not is_answered:
            raise ReloadFailed(f"no answer within {timeout_s:g} s; the log may say why")
        if call.fault:
            raise ReloadFailed(call.fault)
        return call.changed

    @staticmethod
    def _refuse(call: _ReloadCall) -> None:
        call.fault = "the server is stopping"
        call.answered.set()

    def _post(self, message: Callable[[], None]) -> None:
        self._messages.append(message)
        self._wake.set()

    def _take_result(self, result: LoadResult) -> None:
        self._post(partial(self._reconciliation.accept, result))

    def _take_breakage(self, breakage: Breakage) -> None:
        self._post(partial(self._reconciliation.note_broken, breakage))

    def _begin_reload(self, call: _ReloadCall, only: str | None) -> None:
        call.changes_before = self._reconciliation.changes
        self._reconciliation.follow(only)
        self._calls.append(call)

    def _run(self) -> None:
        while not self._is_stopping:
            self._wake.clear()
            while self._messages:
                self._guarded(self._messages.popleft())
            self._guarded(self._step)
            self._wake.wait(self._pause_s())

    def _guarded(self, step: Callable[[], None]) -> None:
        try:
            step()
        # The thread must outlive whatever a single step meets: serving goes on without it,
        # following changes does not.
        except Exception:
            logger.exception("reconciliation failed next=it is tried again")

    def _step(self) -> None:
        try:
            self._reconciliation.run_pass()
            if self._options.poll_s:
                self._watcher.follow(self._reconciliation.folders())
            if self._reconciliation.expects_files:
                self._prober.prepare()  # from this thread: the process dies with it
        finally:
            self._answer_calls()

    def _answer_calls(self) -> None:
        state = self._reconciliation
        is_busy = state.is_loading or state.is_settling
        waiting: list[_ReloadCall] = []
        for call in self._calls:
            if is_busy and not state.config_fault and time.monotonic() < call.deadline:
                waiting.append(call)
                continue
            call.changed = state.changes != call.changes_before
            call.fault = state.config_fault
            call.answered.set()
        self._calls = waiting
        if not waiting and not is_busy:
            state.rest()

    def _pause_s(self) -> float | None:
        if self._reconciliation.is_settling or self._calls:
            return _SETTLING_POLL_S
        mend_s = self._reconciliation.mend_pause_s
        limits = (self._options.poll_s or None, self._prober.rest(), mend_s)
        return min((limit for limit in limits if limit is not None), default=None)
