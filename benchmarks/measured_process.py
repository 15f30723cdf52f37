"""A program whose processor time and memory are read from outside while it runs."""

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

BIN = Path(sys.executable).parent
PATIENCE_S = 90.0


class Process:
    """It and the lines it has printed."""

    def __init__(self, command: list[str], env: Mapping[str, str]) -> None:
        self.lines: list[str] = []
        self._running = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, **env},  # noqa: TID251 - a child needs PATH and the like
        )
        self.pid = self._running.pid
        threading.Thread(target=self._read, name="output", daemon=True).start()

    def _read(self) -> None:
        assert self._running.stdout is not None
        for line in self._running.stdout:
            self.lines.append(line)

    def printed(self, pattern: str) -> re.Match[str]:
        """Wait for a line that matches."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline and self._running.poll() is None:
            if found := next(filter(None, (re.search(pattern, one) for one in self.lines)), None):
                return found
            time.sleep(0.01)
        raise SystemExit(f"no line like {pattern!r} came:\n{''.join(self.lines[-20:])}")

    def count(self, word: str) -> int:
        """How many lines have begun with a word so far."""
        return sum(line.startswith(word) for line in self.lines)

    def stop(self) -> None:
        """End it."""
        self._running.terminate()
        try:
            self._running.wait(20)
        except subprocess.TimeoutExpired:
            self._running.kill()
            self._running.wait()

    @property
    def busy_s(self) -> float:
        """Processor seconds of all its threads so far, also of those that have ended."""
        return time.clock_gettime((~self.pid << 3) | 2)  # the kernel's CPUCLOCK_SCHED of a process

    def memory_mb(self, kind: str = "Rss") -> float:
        """Resident memory, or its proportional share (`Pss`)."""
        rollup = Path(f"/proc/{self.pid}/smaps_rollup").read_text()
        found = re.search(rf"^{kind}:\s+(\d+) kB", rollup, re.MULTILINE)
        assert found is not None
        return int(found[1]) / 1024


@contextmanager
def process(*command: str, env: Mapping[str, str] | None = None) -> Iterator[Process]:
    """Run a script of the environment, or python itself, until the block ends."""
    running = Process([str(BIN / command[0]), *command[1:]], env or {})
    try:
        yield running
    finally:
        running.stop()


def loads() -> str:
    """The load averages of 1, 5 and 15 minutes."""
    return ", ".join(f"{load:.1f}" for load in os.getloadavg())
