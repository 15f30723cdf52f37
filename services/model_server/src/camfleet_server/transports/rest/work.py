"""Inferences off the event loop: their own threads, a bound on how many, and clients that leave."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Lock
from typing import TypeVar

from starlette.requests import Request

from camfleet_server.errors import Abandoned, ServerBusy
from camfleet_server.transports.rest.bodies import BodyQuota

DEFAULT_WORKERS = 320  # more than a model's queue holds, so that the queue refuses before we do
_WAITING = 256  # requests that may wait for a worker
_WATCH_AFTER_S = 0.05  # quicker answers are not worth watching their client
_Answer = TypeVar("_Answer")


class Client:
    """Whoever waits for the answer of one request; used from the loop and from a worker."""

    def __init__(self) -> None:
        self._is_gone = False
        self._callbacks: list[Callable[[], None]] = []
        self._lock = Lock()

    def on_abandoned(self, callback: Callable[[], None]) -> bool:
        """Have `callback` run when the client goes away; False: it is gone already."""
        with self._lock:
            if not self._is_gone:
                self._callbacks.append(callback)
            return not self._is_gone

    def leave(self) -> None:
        """Note that the client is gone."""
        with self._lock:
            self._is_gone = True
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()

    @property
    def is_gone(self) -> bool:
        """Tell whether nobody waits any more."""
        return self._is_gone


class Work:
    """Workers of an application; their threads end with it."""

    def __init__(self, workers: int, name: str) -> None:
        self.bodies = BodyQuota()
        self._workers = workers
        self._in_hand = 0
        self._lock = Lock()
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix=name)

    async def run(self, request: Request, answer: Callable[[], _Answer]) -> _Answer:
        """Call `answer` in a worker; whoever is registered hears of a client that leaves.

        Raises:
            ServerBusy: all workers have their hands full, and enough others wait for them.
            Abandoned: the client went away before a worker was free.
        """
        client = client_of(request)
        loop = asyncio.get_running_loop()
        watching: list[asyncio.Task[None]] = []

        def watch() -> None:
            watching.append(loop.create_task(_watch(request, client)))

        with self._place():
            timer = loop.call_later(_WATCH_AFTER_S, watch)
            try:
                return await loop.run_in_executor(self._pool, _answer_to, client, answer)
            except asyncio.CancelledError:  # the server ends: nobody gets the answer any more
                client.leave()
                raise
            finally:
                timer.cancel()
                for task in watching:
                    task.cancel()

    @contextmanager
    def _place(self) -> Iterator[None]:
        with self._lock:
            if self._in_hand >= self._workers + _WAITING:
                raise ServerBusy(f"{self._in_hand} REST requests are in hand (--rest_workers)")
            self._in_hand += 1
        try:
            yield
        finally:
            with self._lock:
                self._in_hand -= 1


def client_of(request: Request) -> Client:
    """Return the client of a request."""
    if not hasattr(request.state, "client"):
        request.state.client = Client()
    client: Client = request.state.client
    return client


def _answer_to(client: Client, answer: Callable[[], _Answer]) -> _Answer:
    if client.is_gone:
        raise Abandoned("any")
    return answer()


async def _watch(request: Request, client: Client) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    client.leave()
