"""Unary calls have their pools of threads, and are refused unread where too many wait for one.

Inferences may take every thread of theirs; what else is asked (metadata, status, reloads) has
threads of its own, so that no busy model keeps it waiting.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, NoReturn

import grpc

from camfleet_server.transports.grpc.calls import Handlers
from camfleet_server.transports.grpc.pool import CallPool

_ASKING_THREADS = 64


class CallPools:
    """The threads of unary calls; those that have a pool already (health) keep it."""

    def __init__(self, threads: int, waiting: int) -> None:
        self.inferring = CallPool(threads, "grpc", waiting)
        self._asking = CallPool(_ASKING_THREADS, "grpc-ask", waiting)
        self._refusing = ThreadPoolExecutor(1, thread_name_prefix="grpc-refuse")

    def give(self, handlers: Handlers, inferring: frozenset[str]) -> Handlers:
        """Return the handlers, the unary ones with their threads and a bound on who waits."""
        return {
            name: self._with_pool(handler, self.inferring if name in inferring else self._asking)
            for name, handler in handlers.items()
        }

    def close(self) -> None:
        """Start nothing any more."""
        for pool in (self.inferring, self._asking, self._refusing):
            pool.shutdown(wait=False, cancel_futures=True)

    def _with_pool(self, handler: grpc.RpcMethodHandler, pool: CallPool) -> grpc.RpcMethodHandler:
        answer = handler.unary_unary
        if answer is None or hasattr(answer, "experimental_thread_pool"):
            return handler
        answer.experimental_thread_pool = pool  # gRPC looks for it here

        def refuse(_: Iterator[bytes], context: grpc.ServicerContext) -> NoReturn:
            text = f"{pool.waiting} calls wait for a thread (--grpc_max_threads); try again later"
            context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, text)
            raise AssertionError("abort raises")

        refuse.experimental_thread_pool = self._refusing  # type: ignore[attr-defined] # as above
        return _BoundedHandler(
            pool,
            answer,
            refuse,
            handler.request_deserializer,
            handler.response_serializer,
        )


class _BoundedHandler(NamedTuple):
    """What gRPC asks of a handler; it asks once for each call, before it reads a message.

    While its pool is full it claims that requests are streamed: such a call is refused unread.
    """

    pool: CallPool
    unary_unary: Callable[[Any, grpc.ServicerContext], Any]
    stream_unary: Callable[[Iterator[bytes], grpc.ServicerContext], Any]
    request_deserializer: Callable[[bytes], Any] | None
    response_serializer: Callable[[Any], bytes] | None
    unary_stream: None = None
    stream_stream: None = None
    response_streaming: bool = False

    @property
    def request_streaming(self) -> bool:
        return self.pool.is_full
