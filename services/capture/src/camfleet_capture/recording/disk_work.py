"""Work on the disk for requests: in threads that the end of the service does not wait for."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from typing import Any, TypeVar

_AT_ONCE = 4

Result = TypeVar("Result")


class ServiceEnds(Exception):
    """The service ends before the work is done."""


class DiskWork:
    """Does a few things at a time; belongs to the event loop.

    A disk may be slow or hang, and a long clip takes long: threads of the loop's own executor would
    keep the process alive until that is over.
    """

    def __init__(self) -> None:
        self._turn = asyncio.Semaphore(_AT_ONCE)
        self._running: set[Future[Any]] = set()
        self._is_over = False

    async def run(self, work: Callable[[], Result]) -> Result:
        """Return what `work` returns, or raise what it raises.

        Raises:
            ServiceEnds: `end` was called meanwhile; what the thread does yet is thrown away.
        """
        async with self._turn:
            if self._is_over:
                raise ServiceEnds
            job: Future[Result] = Future()
            self._running.add(job)
            threading.Thread(target=_do, args=(job, work), name="disk-work", daemon=True).start()
            try:
                return await asyncio.wrap_future(job)
            finally:
                self._running.discard(job)

    def end(self) -> None:
        """Let everybody go who waits."""
        self._is_over = True
        for job in self._running:
            with suppress(InvalidStateError):  # done in this moment
                job.set_exception(ServiceEnds())


def _do(job: Future[Result], work: Callable[[], Result]) -> None:
    with suppress(InvalidStateError):  # nobody waits any more
        try:
            result = work()
        except Exception as error:  # noqa: BLE001 - the thread's border: who waits gets it
            job.set_exception(error)
        else:
            job.set_result(result)
