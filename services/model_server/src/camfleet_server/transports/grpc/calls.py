"""What every gRPC method shares: ending with the right code, deadlines, tables of handlers."""

import functools
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from threading import Lock, Timer
from typing import Any, NamedTuple, Protocol, TypeAlias, TypeVar

import grpc
import structlog
from google.protobuf.message import DecodeError

from camfleet_contracts.wire_answers import Buffer, joined
from camfleet_server.errors import InvalidInput, ServerBusy
from camfleet_server.memory import trim_memory
from camfleet_server.transports.codes import EXPECTED, codes_of
from camfleet_server.types import OnAbandoned

logger = structlog.get_logger(__name__)
_NO_LIMIT_S = 10 * 365 * 86_400.0  # gRPC tells "no deadline" as a very late one
_COUNTED_BYTES = 1 << 18  # smaller messages are not worth a lock
_TRIMMED_BYTES = 1 << 26  # malloc keeps what such a message took, see memory.py
_TRIMMED_AFTER_S = 1.0
_UNCOUNTED = nullcontext()
_MB = 1_000_000
_Answer = TypeVar("_Answer")

Handlers: TypeAlias = dict[str, grpc.RpcMethodHandler]
"""Handlers by full method name, e.g. /inference.GRPCInferenceService/ModelInfer."""

Answers: TypeAlias = dict[str, Callable[[Any, grpc.ServicerContext], Any]]
"""What answers each RPC, by its name; the messages are <name>Request and <name>Response."""


class Method(NamedTuple):
    """One RPC: its name, what answers it, and how its messages are read and written."""

    name: str
    answer: Callable[[Any, grpc.ServicerContext], Any]
    request: Any  # message class
    response: Any  # message class


class Inferring(Protocol):
    """Answers one inference from its bytes; raises any error of the tree."""

    def answer(
        self,
        data: bytes,
        call_deadline: float | None,
        on_abandoned: OnAbandoned,
        peer: Callable[[], str],
        /,
    ) -> list[Buffer]: ...


class MessageQuota:
    """Bounds the bytes of large requests that are in hand at once; one alone always fits."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._held_bytes = 0
        self._lock = Lock()
        self._trimming: Timer | None = None

    def holding(self, size_bytes: int) -> AbstractContextManager[None]:
        """Count a message, unless it is small, for the block.

        Raises:
            ServerBusy: there are too many bytes in hand already.
        """
        return _UNCOUNTED if size_bytes < _COUNTED_BYTES else self._holding(size_bytes)

    @contextmanager
    def _holding(self, size_bytes: int) -> Iterator[None]:
        try:
            self._take(size_bytes)
            try:
                yield
            finally:
                with self._lock:
                    self._held_bytes -= size_bytes
        finally:  # gRPC took the memory of those that are refused as well
            if size_bytes >= _TRIMMED_BYTES:
                self._trim_soon()

    def _take(self, size_bytes: int) -> None:
        with self._lock:
            held_bytes = self._held_bytes
            is_over = held_bytes > 0 and held_bytes + size_bytes > self._limit_bytes
            if not is_over:
                self._held_bytes += size_bytes
        if is_over:
            raise ServerBusy(
                f"{held_bytes // _MB} MB of requests are in hand, {size_bytes // _MB} MB more "
                f"would exceed the {self._limit_bytes // _MB} MB of --grpc_memory_quota"
            )

    def _trim_soon(self) -> None:
        """Give back what huge messages took, once gRPC has let go of the last of them."""
        with self._lock:
            if self._trimming is not None:
                self._trimming.cancel()  # it would come too early for this message
            self._trimming = Timer(_TRIMMED_AFTER_S, trim_memory)
            self._trimming.daemon = True
            self._trimming.start()


def service_handlers(service: str, methods: tuple[Method, ...]) -> Handlers:
    """Make the handlers of one service."""
    return {
        f"/{service}/{method.name}": grpc.unary_unary_rpc_method_handler(
            ending_with_code(_parsing(method)),
            None,
            method.response.SerializeToString,
        )
        for method in methods
    }


def _parsing(method: Method) -> Callable[[bytes, grpc.ServicerContext], Any]:
    """Parse requests ourselves: gRPC would call bytes that are no message a fault of the server."""

    def answer(data: bytes, context: grpc.ServicerContext) -> Any:
        try:
            request = method.request.FromString(data)
        except DecodeError as error:
            raise InvalidInput(f"The request is no {method.request.__name__} - {error}") from error
        return method.answer(request, context)

    return answer


def infer_handler(inferring: Inferring, quota: MessageQuota) -> grpc.RpcMethodHandler:
    """Make the handler of a unary inference; its messages stay bytes."""
    answer = inferring.answer

    def infer(data: bytes, context: grpc.ServicerContext) -> bytes:
        with quota.holding(len(data)):
            deadline = deadline_of(context)
            return joined(answer(data, deadline, context.add_callback, context.peer))

    return grpc.unary_unary_rpc_method_handler(ending_with_code(infer))


def health_handler(answer: Callable[[], bytes], pool: ThreadPoolExecutor) -> grpc.RpcMethodHandler:
    """Make the handler of a question about health: no message is parsed, no thread is shared."""

    def told(_: bytes, __: grpc.ServicerContext) -> bytes:
        return answer()

    told.experimental_thread_pool = pool  # type: ignore[attr-defined] # gRPC looks for it here
    return grpc.unary_unary_rpc_method_handler(told)


def ending_with_code(
    answer: Callable[[Any, grpc.ServicerContext], _Answer],
) -> Callable[[Any, grpc.ServicerContext], _Answer]:
    """Let errors of the tree end the call with their code and text, others with INTERNAL."""

    @functools.wraps(answer)
    def wrapped(request: Any, context: grpc.ServicerContext) -> _Answer:
        try:
            return answer(request, context)
        except EXPECTED as error:
            context.abort(codes_of(error).grpc, str(error))
        # An RPC ends here: the fault is logged whole, the client learns its kind.
        except Exception as error:
            logger.exception("rpc_failed", error=repr(error))
            context.abort(grpc.StatusCode.INTERNAL, f"Internal server error - {error!r}")
        raise AssertionError("abort raises")

    return wrapped


def refusing(text: str) -> grpc.RpcMethodHandler:
    """Make a handler that answers UNIMPLEMENTED without reading the request."""

    def refuse(_: bytes, context: grpc.ServicerContext) -> bytes:
        context.abort(grpc.StatusCode.UNIMPLEMENTED, text)
        raise AssertionError("abort raises")

    return grpc.unary_unary_rpc_method_handler(refuse)


def deadline_of(context: grpc.ServicerContext) -> float | None:
    """Tell on time.monotonic() until when the client waits, None when it set no limit."""
    remaining_s: float | None = context.time_remaining()
    if remaining_s is None or remaining_s > _NO_LIMIT_S:
        return None
    return time.monotonic() + remaining_s
