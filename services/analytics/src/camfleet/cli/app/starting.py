"""`camfleet app start`: run the script, and with --watch again after every change."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from camfleet.apps.application import Application, BadApplication, read_application
from camfleet.cli.app.changes import SourceWatch
from camfleet.cli.app.script import Script
from camfleet.cli.app.surroundings import surroundings
from camfleet.cli.console import note, print_error

_LOOK_S = 0.2
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_OF_SIGNAL = 128
_QUIET = Path(__file__).with_name("quiet_interrupt")


class _Ending:
    """Which signal asked us to end, once one has."""

    def __init__(self) -> None:
        self.number = 0
        self.asked = threading.Event()

    def take(self, number: int, _: FrameType | None) -> None:
        self.number = number
        self.asked.set()


def start(application: Application, arguments: Sequence[str]) -> int:
    """Run `scripts.start` until it ends or we are told to end; its exit code.

    Raises:
        BadApplication: there is no such script.
    """
    with _signals() as ending:
        script = _begin(application, arguments, keeps_terminal=sys.stdin.isatty())
        while not ending.asked.is_set():
            code = script.wait(_LOOK_S)
            if code is not None:
                return code if code >= 0 else _OF_SIGNAL - code
        return _end(script, ending)


def start_and_watch(application: Application, arguments: Sequence[str]) -> int:
    """Run `scripts.start`, anew whenever a source file has changed, until we are told to end."""
    with _signals() as ending:
        watch = SourceWatch(application.folder)
        script: Script | None = _begin(application, arguments)
        note("watching for changes; Ctrl-C ends it")
        try:
            while not ending.asked.is_set():
                script = _watch_once(application, arguments, watch, script)
        finally:
            watch.close()
            if script:
                script.end()
        return 0


def _watch_once(
    application: Application, arguments: Sequence[str], watch: SourceWatch, script: Script | None
) -> Script | None:
    """One look; the script that runs after it."""
    changed = watch.wait_for_change()
    code = script.wait(0) if script else None
    if changed is None:
        if code is not None:
            note(f"the script ended with {code}; it starts again when a file changes")
            return None
        return script
    began_s = time.monotonic()
    if script and code is None:
        script.end()
    try:
        fresh = _begin(read_application(application.folder), arguments)
    except BadApplication as error:
        print_error(str(error))
        return None
    note(f"{changed} changed: started again ({time.monotonic() - began_s:.1f} s)")
    return fresh


def _begin(
    application: Application, arguments: Sequence[str], *, keeps_terminal: bool = False
) -> Script:
    """Start a script whose interruption leaves no traceback: it is how scripts are ended."""
    environment = surroundings(application)
    folders = [str(_QUIET), *filter(None, [environment.get("PYTHONPATH")])]
    environment["PYTHONPATH"] = os.pathsep.join(folders)
    command, folder = application.start_script, application.folder
    return Script(command, arguments, folder, environment, keeps_terminal=keeps_terminal)


def _end(script: Script, ending: _Ending) -> int:
    was_interrupted = script.keeps_terminal and ending.number == signal.SIGINT
    script.end(was_interrupted=was_interrupted)
    return 0 if ending.number == signal.SIGTERM else _OF_SIGNAL + ending.number


@contextmanager
def _signals() -> Iterator[_Ending]:
    """Signals ask us to end while the block runs."""
    ending = _Ending()
    before: dict[signal.Signals, Callable[[int, FrameType | None], object] | int | None] = {
        number: signal.signal(number, ending.take) for number in _SIGNALS
    }
    try:
        yield ending
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
