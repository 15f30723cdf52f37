"""One service of the fleet as a child process: its log lines, its end, its group."""

import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_LAUNCHER = str(Path(__file__).with_name("launch.py"))
_LAST_LINES = 20


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """What to start, how to know that it is ready, and how its lines look."""

    name: str
    command: tuple[str, ...]
    ready_url: str
    colour: str
    essential: bool = True  # the fleet is of no use when it cannot start
    after_ready: bool = False  # started when the essential ones are ready
    ends_first: bool = False  # the end of the others would be news to it


class Child:
    """A running service; start and stop it from one thread only, the one that outlives it."""

    def __init__(
        self,
        spec: ServiceSpec,
        environment: Mapping[str, str],
        emit: Callable[[ServiceSpec, str], None],
    ) -> None:
        """Start the service; `emit` receives each of its log lines on a thread of its own."""
        self.spec = spec
        self.last_lines: deque[str] = deque(maxlen=_LAST_LINES)
        self._emit = emit
        command = [sys.executable, "-I", "-S", _LAUNCHER, str(os.getpid()), *spec.command]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, name=f"log-{spec.name}", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """Process id, which is also the id of its group."""
        return self._process.pid

    def exit_code(self) -> int | None:
        """The exit code, None while it runs."""
        return self._process.poll()

    def ask_to_end(self) -> None:
        """Send SIGTERM to the service alone; it ends its own children."""
        if self._process.poll() is None:
            self._process.terminate()

    def wait_ended(self, timeout_s: float) -> bool:
        """Whether it ended within the time."""
        try:
            self._process.wait(max(timeout_s, 0))
        except subprocess.TimeoutExpired:
            return False
        return True

    def close(self) -> None:
        """Kill whatever is left of the group and give back the pipe."""
        with suppress(ProcessLookupError, PermissionError):  # nothing is left, or a zombie
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        self._reader.join(timeout=2)
        if self._process.stdout and not self._reader.is_alive():
            self._process.stdout.close()

    def _read(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 - PIPE was asked for
        for raw in self._process.stdout:
            line = raw.decode(errors="replace").rstrip()
            self.last_lines.append(line)
            self._emit(self.spec, line)
