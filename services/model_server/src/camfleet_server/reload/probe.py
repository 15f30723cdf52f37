"""Tries files never seen before in a process of their own, started when some are on their way."""

import hashlib
import json
import logging
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

from camfleet_contracts.files import write_atomically
from camfleet_server.reload.probe_child import ProbeRequest
from camfleet_server.reload.probe_patience import has_answer_within, waited_for_core_s
from camfleet_server.runtimes.base import LoadError, ModelSource
from camfleet_server.runtimes.table import RuntimeTable, installed_versions

logger = logging.getLogger(__name__)

_KNOWN_LIMIT = 1000
_START_LIMIT_S = 60.0
_END_LIMIT_S = 2.0
_LINGER_S = 10.0  # a waiting process costs 60 MB; files tend to come in bursts


class ProbeStopped(Exception):
    """The server ends; nothing is known about the files."""


class _Answer(NamedTuple):
    """Why the files are refused, None when they are not, and how long that took to find out."""

    reason: str | None
    elapsed_s: float = 0.0


class Prober:
    """Owns at most one waiting process; `try_out` may be called from any long-living thread.

    The process dies with the thread that started it (the kernel's parent-death signal), so callers
    must be threads that live as long as the server.
    """

    def __init__(
        self,
        table: RuntimeTable,
        cache_dir: Path | None,
        limit_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._needed_at = 0.0
        self._table = dict(table)
        self._limit_s = limit_s
        self._known = _KnownContents(cache_dir)
        self._lock = threading.Lock()  # guards all below and the time above
        self._idle: list[_Child] = []
        self._busy: list[_Child] = []
        self._is_stopped = False

    def prepare(self) -> None:
        """Start the process that the next probe will use, unless there is one."""
        with self._lock:
            self._needed_at = self._clock()
            self._forget_dead()
            if not self._is_stopped and not self._idle:
                self._idle.append(_Child())

    def rest(self) -> float | None:
        """End a process that waited in vain; else return for how long it may still wait."""
        with self._lock:
            self._forget_dead()
            left_s = self._needed_at + _LINGER_S - self._clock()
            if self._idle and left_s > 0:
                return left_s
            while self._idle:
                self._idle.pop().end()
        return None

    def try_out(self, source: ModelSource, content: str) -> float:
        """Load and run the files once elsewhere, unless this content is remembered.

        Returns the seconds that took there, without the start of the process.

        Raises:
            LoadError: they failed, crashed or hung there.
            ProbeStopped: the server ends.
        """
        if content in self._known:
            return 0.0
        answer = self._ask(ProbeRequest(source, self._table))
        if answer.reason is not None:
            raise LoadError(answer.reason)
        return answer.elapsed_s

    def remember(self, content: str) -> None:
        """Note that this content passed, once it is sure that it is what was tried."""
        if content not in self._known:
            self._known.add(content)

    def stop(self) -> None:
        """End all processes; a probe under way raises ProbeStopped."""
        with self._lock:
            self._is_stopped = True
            for child in (*self._idle, *self._busy):
                child.end()

    def _ask(self, request: ProbeRequest) -> _Answer:
        child = self._take_child()
        try:
            answer = child.ask(request, self._limit_s)
        except _ChildLost as lost:
            with self._lock:
                self._busy.remove(child)
            if self._is_stopped:
                raise ProbeStopped from lost
            return _Answer(str(lost))
        self._put_back(child)
        return answer

    def _take_child(self) -> "_Child":
        with self._lock:
            if self._is_stopped:
                raise ProbeStopped
            self._forget_dead()
            child = self._idle.pop() if self._idle else _Child()
            self._busy.append(child)
        return child

    def _forget_dead(self) -> None:
        """Drop a process that ended while it waited: that says nothing about the next files."""
        self._idle = [child for child in self._idle if child.is_alive]

    def _put_back(self, child: "_Child") -> None:
        with self._lock:
            self._needed_at = self._clock()
            self._busy.remove(child)
            if self._idle or self._is_stopped:
                child.end()
            else:
                self._idle.append(child)


class _ChildLost(Exception):
    """The process crashed, or was ended because it hung; the text is the reason."""


class _Child:
    """A running probe process."""

    def __init__(self) -> None:
        self._is_ready = False
        self._connection, theirs = multiprocessing.Pipe()
        with theirs:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "camfleet_server.reload.probe_child",
                    str(theirs.fileno()),
                    _pid(),
                ],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )

    @property
    def is_alive(self) -> bool:
        """Tell whether the process still runs."""
        return self._process.poll() is None

    def ask(self, request: ProbeRequest, limit_s: float) -> _Answer:
        """Send a request and wait for the answer; raises _ChildLost."""
        try:
            if self._await_ready():
                began_at = time.monotonic()
                self._connection.send(request)
                waited_s = partial(waited_for_core_s, self._process.pid)
                if has_answer_within(limit_s, self._connection, waited_s):
                    reason = _received(self._connection)
                    return _Answer(reason, time.monotonic() - began_at)
        except (EOFError, OSError):
            raise _ChildLost(_end_text(self._ended())) from None
        self.end()
        raise _ChildLost(f"hung: no answer within {limit_s:g} s when tried in a separate process")

    def _await_ready(self) -> bool:
        if not self._is_ready and self._connection.poll(_START_LIMIT_S):
            self._is_ready = self._connection.recv() is None
        return self._is_ready

    def _ended(self) -> int:
        try:
            return self._process.wait(_END_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def end(self) -> None:
        """Kill it and wait for its end."""
        self._process.kill()
        self._process.wait()


class _KnownContents:
    """Digests of contents that passed a probe, kept in the cache folder over restarts."""

    def __init__(self, cache_dir: Path | None) -> None:
        self._path = cache_dir / _cache_name() if cache_dir else None
        self._lock = threading.Lock()
        self._digests: list[str] = self._read()

    def __contains__(self, digest: str) -> bool:
        return digest in self._digests

    def add(self, digest: str) -> None:
        with self._lock:
            self._digests = [*self._digests, digest][-_KNOWN_LIMIT:]
            self._write()

    def _read(self) -> list[str]:
        if self._path is None or not self._path.is_file():
            return []
        try:
            return [str(digest) for digest in json.loads(self._path.read_text())]
        except (OSError, ValueError, TypeError) as error:
            logger.warning("known models are forgotten path=%s reason=%s", self._path, error)
            return []

    def _write(self) -> None:
        if self._path is None:
            return
        try:
            write_atomically(self._path, json.dumps(self._digests))
        except OSError as error:
            logger.warning("known models cannot be kept path=%s reason=%s", self._path, error)


def _received(connection: Connection) -> str | None:
    answer: str | None = connection.recv()
    return answer


def _end_text(code: int) -> str:
    how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
    if code == -signal.SIGKILL:
        how += ", which the kernel sends when memory runs out"
    return f"crashed ({how}) when tried in a separate process; the server was kept from it"


def _cache_name() -> str:
    """One file for each set of vendors' libraries: what one version reads crashes another."""
    versions = json.dumps(installed_versions(), sort_keys=True)
    return f"probed-{hashlib.sha256(versions.encode()).hexdigest()[:12]}.json"


def _pid() -> str:
    return str(os.getpid())
