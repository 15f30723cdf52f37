"""Several applications at once, each a process of its own: usually one a camera."""

import multiprocessing
import threading
import traceback
from abc import ABC, abstractmethod
from collections.abc import Sequence
from multiprocessing.synchronize import Barrier, Event
from typing import TYPE_CHECKING, Any

from camfleet.errors import BadArgument, CamfleetError

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess

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
            args: the arguments of each.

        Raises:
            BadArgument: they are not as many.
        """
        if len(apps) != len(args) or not apps:
            raise BadArgument(f"MultiStreamFramework: {len(apps)} apps and {len(args)} args")
        self._apps, self._args = apps, args
        self._context = multiprocessing.get_context("spawn")
        self._stop = self._context.Event()
        self._faults: Any = self._context.SimpleQueue()
        self._processes: list[SpawnProcess] = []

    def start(self) -> None:
        """Start all; each begins to run() when all are made.

        Raises:
            AppFailed: one cannot be made; the others are stopped.
        """
        barrier = self._context.Barrier(len(self._apps) + 1)
        for app, arguments in zip(self._apps, self._args, strict=True):
            place = (app, arguments, barrier, self._stop, self._faults)
            process = self._context.Process(target=_run, args=place, name=app.__name__, daemon=True)
            process.start()
            self._processes.append(process)
        try:
            barrier.wait(_START_TIMEOUT_S)
        except threading.BrokenBarrierError:
            self.stop()
            raise AppFailed("an application cannot be started in time") from None

    def wait(self) -> None:
        """Wait until all have ended by themselves.

        Raises:
            AppFailed: one ended with an error.
        """
        for process in self._processes:
            process.join()
        self._tell()

    def stop(self) -> None:
        """Ask all to end, and end those that do not.

        Raises:
            AppFailed: one ended with an error.
        """
        self._stop.set()
        for process in self._processes:
            process.join(_END_TIMEOUT_S)
            if process.is_alive():
                process.kill()
                process.join()
        self._tell()

    def _tell(self) -> None:
        faults = []
        while not self._faults.empty():
            faults.append(self._faults.get())
        if faults:
            raise AppFailed("\n".join(faults))


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
    except threading.BrokenBarrierError:
        return  # another one failed
    except Exception:  # noqa: BLE001 - as above
        faults.put(_told(app, arguments))


def _told(app: type[MultiStreamAppInterface], arguments: tuple[Any, ...]) -> str:
    return f"{app.__name__}{arguments}: {traceback.format_exc()}"
