"""An application's script as a child process: started in its surroundings, ended with all of it."""

import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from camfleet.cli import fleet
from camfleet.cli.errors import CommandError

GRACE_S = 5.0
_LAUNCHER = str(Path(fleet.__file__).with_name("launch.py"))
_SHELL_SIGNS = set("|&;<>()$`\\\"'*?[]#~=%\n{}!")


class Script:
    """A running script; it cannot outlive this process, even when that is killed."""

    def __init__(
        self,
        command: str,
        arguments: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        *,
        keeps_terminal: bool,
    ) -> None:
        """Start it.

        Args:
            command: `scripts.start`; a shell reads it where it has signs for one.
            arguments: appended to it.
            folder: it runs there.
            environment: all of it.
            keeps_terminal: it may read the terminal, which also sends it Ctrl-C.

        Raises:
            CommandError: its program is not there.
        """
        self.keeps_terminal = keeps_terminal
        program = _program(command, arguments, environment)
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", _LAUNCHER, str(os.getpid()), *program],
            cwd=folder,
            env=dict(environment),
            stdin=None if keeps_terminal else subprocess.DEVNULL,
            process_group=None if keeps_terminal else 0,
        )

    def wait(self, timeout_s: float) -> int | None:
        """Its exit code, None when it still runs after the time."""
        with suppress(subprocess.TimeoutExpired):
            return self._process.wait(timeout_s)
        return None

    def end(self, *, was_interrupted: bool = False) -> int:
        """Interrupt it as Ctrl-C does, so that it can close what it has open; kill what is left.

        Args:
            was_interrupted: the terminal has sent the interrupt already.
        """
        family = self._family()
        if not was_interrupted:
            self._interrupt(family)
        code = self.wait(GRACE_S)
        for process in family:
            with suppress(psutil.Error):
                process.kill()
        return self._process.wait() if code is None else code

    def _interrupt(self, family: list[psutil.Process]) -> None:
        """A shell passes nothing on, so what it has started is told too."""
        told = family if self._is_shell(family) else family[:1]
        for process in told:
            with suppress(psutil.Error):
                process.send_signal(signal.SIGINT)

    @staticmethod
    def _is_shell(family: list[psutil.Process]) -> bool:
        with suppress(psutil.Error):
            return bool(family) and family[0].name() in {"sh", "dash", "bash"}
        return False

    def _family(self) -> list[psutil.Process]:
        try:
            first = psutil.Process(self._process.pid)
            return [first, *first.children(recursive=True)]
        except psutil.Error:
            return []


def _program(
    command: str, arguments: Sequence[str], environment: Mapping[str, str]
) -> tuple[str, ...]:
    if _SHELL_SIGNS & set(command):
        return ("/bin/sh", "-c", f'{command} "$@"', "sh", *arguments)
    words = shlex.split(command)
    found = shutil.which(words[0], path=environment.get("PATH"))
    if found is None:
        raise CommandError(f"scripts.start: there is no program '{words[0]}' on PATH")
    return (found, *words[1:], *arguments)
