"""Start a service as a real process, read what it logs, and stop it by its pid."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from waiting import wait_until

BIN = Path(sys.executable).parent


class Service:
    """A running process and the lines it has logged so far."""

    def __init__(self, command: list[str], env: Mapping[str, str]) -> None:
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [str(BIN / command[0]), *command[1:]],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, **env},  # noqa: TID251 - a child needs PATH and the like
        )
        self._reader = threading.Thread(target=self._read, name=f"log-{command[0]}", daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def log(self) -> str:
        return "\n".join(self.lines)

    def logged(self, pattern: str, timeout_s: float = 120) -> re.Match[str]:
        """Wait for a log line that matches and return the match."""

        def search() -> re.Match[str] | None:
            if self.process.poll() is not None and not self._reader.is_alive():
                found = re.search(pattern, self.log())
                if not found:
                    raise AssertionError(f"ended ({self.process.returncode}):\n{self.log()}")
                return found
            return re.search(pattern, self.log())

        try:
            return wait_until(search, timeout_s, f"log line {pattern!r}")
        except AssertionError as error:
            raise AssertionError(f"{error}\n--- log ---\n{self.log()}") from error

    def stop(self, timeout_s: float = 60) -> int:
        """Send SIGTERM, wait, and return the exit code; SIGKILL when it does not end."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(5)
            raise AssertionError(f"did not end on SIGTERM:\n{self.log()}") from None
        finally:
            self._reader.join(60)
            if self.process.stdout:
                self.process.stdout.close()
        return code


@contextmanager
def running(*command: str, env: Mapping[str, str] | None = None) -> Iterator[Service]:
    """Run a console script of the environment until the block ends."""
    service = Service(list(command), env or {})
    try:
        yield service
    finally:
        service.stop()
