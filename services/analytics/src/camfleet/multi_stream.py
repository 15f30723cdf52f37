"""Several applications at once, each a process of its own: usually one a camera."""

import multiprocessing
import threading
import traceback
from abc import ABC, abstractmethod
from collections.abc import Sequence
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Barrier, Event
from typing import Any

from camfleet.errors import BadArgument, CamfleetError

_SPAWN = multiprocessing.get_context("spawn")
_START_TIMEOUT_S = 60.0
_END_TIMEOUT_S = 10.0


class AppFailed(CamfleetError):
    """An application of a MultiStreamFramework ended with an error; its text has the traceback."""


class MultiStreamAppInterface(ABC):
    """One application. It is made in its own process, with the arguments of the framework.

    Attributes:
        stop_event: set when the framework stops; run() has to look at it.
    """

    stop_event: Event

    @abstractmethod
    def run(self) -> None:
        """Work until stop_event is set, or the stream is over."""


class MultiStreamFramework:
    """Starts applications together and stops them together.

    All ask the one model server of the machine, so a model is in memory once, however many
    cameras there are.
    """

    def __init__(
        self, apps: Sequence[type[MultiStreamAppInterface]], args: Sequence[tuple[Any, ...]]
    ) -> None:
        """Nothing is started yet.

        Args:
            apps: the classes, defined in a module of their own: processes are spawned.
            args: the arguments of each. A process that is given a queue, an event or a barrier of
                `multiprocessing` itself is forked; those of get_context("spawn") can be sent.

        Raises:
            BadArgument: they are not as many.
        """
        if len(apps) != len(args) or not apps:
            raise BadArgument(f"MultiStreamFramework: {len(apps)} apps and {len(args)} args")
        self._apps, self._args = apps, args
        self._stop, self._faults = _SPAWN.Event(), _SPAWN.SimpleQueue()
        self._processes: list[BaseProcess] = []
        self._has_ended = threading.Event()
        self._has_ended.set()

    def start(self) -> None:
        """Start all, let each run() when all are made, and return when all have ended.

        They end by themselves, or when stop() of another thread or an interrupt asks them to.

        Raises:
            AppFailed: one cannot be made, and the others are stopped; or one ended with an error.
        """
        self._has_ended.clear()
        try:
            is_started = self._launch()
            if is_started:
                self._wait()
        finally:
            self._stop.set()
            for process in self._processes:
                process.join(_END_TIMEOUT_S)
            self._end_the_rest()
            self._has_ended.set()
        faults = []
        while not self._faults.empty():
            faults.append(self._faults.get())
        if faults or not is_started:
            raise AppFailed("\n".join(faults) or "an application cannot be started in time")

    def stop(self) -> None:
        """Ask all to end, end those that do not within 10 s, and wait for start() to see it."""
        self._stop.set()
        if not self._has_ended.wait(_END_TIMEOUT_S):
            self._end_the_rest()
            self._has_ended.wait()

    def _launch(self) -> bool:
        """Whether all could be made."""
        barrier = _SPAWN.Barrier(len(self._apps) + 1)
        for app, arguments in zip(self._apps, self._args, strict=True):
            place = (app, arguments, barrier, self._stop, self._faults)
            self._processes.append(_begin(app.__name__, place))
        try:
            barrier.wait(_START_TIMEOUT_S)
        except threading.BrokenBarrierError:
            self._stop.set()
            return False
        return True

    def _wait(self) -> None:
        """Until all have ended; reaps none, which is left to one thread."""
        running = [process.sentinel for process in self._processes]
        while running:
            ended = wait(running)
            running = [one for one in running if one not in ended]

    def _end_the_rest(self) -> None:
        for process in self._processes:
            if process.is_alive():
                process.kill()
                process.join()


def _begin(name: str, place: tuple[Any, ...]) -> BaseProcess:
    """Spawn, which forgets the threads and connections of this process; fork where it must be."""
    process: BaseProcess = _SPAWN.Process(target=_run, args=place, name=name, daemon=True)
    try:
        process.start()
    except RuntimeError as error:
        if "fork context" not in str(error):
            raise
        fork = multiprocessing.get_context("fork")
        process = fork.Process(target=_run, args=place, name=name, daemon=True)
        process.start()
    return process


def _run(
    app: type[MultiStreamAppInterface],
    arguments: tuple[Any, ...],
    barrier: Barrier,
    stop: Event,
    faults: Any,
) -> None:
    """In the application's own process; nobody waits for others any more once all run."""
    try:
        made = app(*arguments)
        made.stop_event = stop
    except Exception:  # noqa: BLE001 - an application's own code: whatever happened is told there
        faults.put(_told(app, arguments))
        barrier.abort()
        return
    try:
        barrier.wait(_START_TIMEOUT_S)
        made.run()
    except (threading.BrokenBarrierError, KeyboardInterrupt):
        return  # another one failed, or all are to end: start() says so
    except Exception:  # noqa: BLE001 - as above
        faults.put(_told(app, arguments))


def _told(app: type[MultiStreamAppInterface], arguments: tuple[Any, ...]) -> str:
    return f"{app.__name__}{arguments}: {traceback.format_exc()}"
