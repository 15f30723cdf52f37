"""What answers gRPC methods: tables of handlers, and what their messages may take."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from enum import Enum
from threading import RLock, Timer
from typing import Any, NamedTuple, NoReturn, Protocol, TypeAlias

from google.protobuf.message import DecodeError

from camfleet_contracts.wire import Data
from camfleet_contracts.wire_answers import Buffer
from camfleet_server.errors import InvalidInput, ServerBusy
from camfleet_server.memory import trim_memory
from camfleet_server.transports.grpc.admission import Check
from camfleet_server.transports.grpc.messages import MessageReader
from camfleet_server.transports.grpc.rpc import Rpc
from camfleet_server.transports.grpc.status import Ended, StatusCode
from camfleet_server.transports.http2.exchange import Receiver
from camfleet_server.types import OnAbandoned

_COUNTED_BYTES = 1 << 18  # smaller messages are not worth a lock
_TRIMMED_BYTES = 1 << 26  # malloc keeps what such a message took, see memory.py
_TRIMMED_AFTER_S = 1.0
_UNCOUNTED = nullcontext()
_MB = 1_000_000

AnswerCall: TypeAlias = Callable[[Data, Rpc], Sequence[Buffer]]
"""Answers a message; raises any error of the tree, or `Ended`."""

Answers: TypeAlias = dict[str, Callable[[Any, Rpc], Any]]
"""What answers each RPC, by its name; the messages are <name>Request and <name>Response."""


class Kind(Enum):
    """What a unary call may wait for, which decides about its thread."""

    PROMPT = "nothing"
    INFERENCE = "its turn on a model"
    QUESTION = "anything"


class Unary(NamedTuple):
    """One message, one answer."""

    answer: AnswerCall
    kind: Kind = Kind.QUESTION


class Streaming(NamedTuple):
    """Messages and answers as they come."""

    open: Callable[[Rpc, MessageReader, Check | None], Receiver]


Handlers: TypeAlias = dict[str, Unary | Streaming]
"""Handlers by full method name, e.g. /inference.GRPCInferenceService/ModelInfer."""


class Method(NamedTuple):
    """One RPC: its name, what answers it, and how its messages are read and written."""

    name: str
    answer: Callable[[Any, Rpc], Any]
    request: Any  # message class
    response: Any  # message class


class Inferring(Protocol):
    """Answers one inference from its bytes; raises any error of the tree."""

    def answer(
        self,
        data: Data,
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
        self.lock = RLock()
        self._trimming: Timer | None = None

    def holding(self, size_bytes: int) -> AbstractContextManager[None]:
        """Count a message, unless it is small, for the block.

        Raises:
            ServerBusy: there are too many bytes in hand already.
        """
        return _UNCOUNTED if size_bytes < _COUNTED_BYTES else self._holding(size_bytes)

    def hand_of(self, rpc: Rpc) -> "ArrivingBytes":
        """Return what counts the bytes of a call's messages as they come, until it is over."""
        return ArrivingBytes(self, rpc)

    @contextmanager
    def _holding(self, size_bytes: int) -> Iterator[None]:
        try:
            self.take(size_bytes)
            try:
                yield
            finally:
                self.let_go(size_bytes)
        finally:  # those that are refused took the memory as well
            if size_bytes >= _TRIMMED_BYTES:
                self._trim_soon()

    def take(self, size_bytes: int, own_bytes: int = 0) -> None:
        """Count more bytes; `own_bytes` are those that the same message holds already.

        Raises:
            ServerBusy: they and what others hold are too many.
        """
        with self.lock:
            held_bytes = self._held_bytes
            is_over = held_bytes > own_bytes and held_bytes + size_bytes > self._limit_bytes
            if not is_over:
                self._held_bytes += size_bytes
        if is_over:
            raise ServerBusy(
                f"{held_bytes // _MB} MB of requests are in hand, {size_bytes // _MB} MB more "
                f"would exceed the {self._limit_bytes // _MB} MB of --grpc_memory_quota"
            )

    def let_go(self, size_bytes: int) -> None:
        """Count so many bytes less."""
        with self.lock:
            self._held_bytes -= size_bytes

    def _trim_soon(self) -> None:
        """Give back what huge messages took, once nobody holds the last of them."""
        with self.lock:
            if self._trimming is not None:
                self._trimming.cancel()  # it would come too early for this message
            self._trimming = Timer(_TRIMMED_AFTER_S, trim_memory)
            self._trimming.daemon = True
            self._trimming.start()


class ArrivingBytes:
    """The bytes of one call that have come and that nobody answers yet."""

    __slots__ = ("_held_bytes", "_is_over", "_is_watching", "_quota", "_rpc")

    def __init__(self, quota: MessageQuota, rpc: Rpc) -> None:
        self._quota = quota
        self._rpc = rpc
        self._held_bytes = 0
        self._is_over = False  # both under the quota's lock
        self._is_watching = False  # for the end; messages that are small are never counted

    def take(self, size_bytes: int) -> None:
        """Count more of them.

        Raises:
            Ended: there are too many bytes in hand already.
        """
        if not self._is_watching:
            self._is_watching = True
            if not self._rpc.on_end(self.end):
                self.end()
        with self._quota.lock:
            if self._is_over:
                return
            try:
                self._quota.take(size_bytes, self._held_bytes)
            except ServerBusy as error:
                raise Ended(StatusCode.RESOURCE_EXHAUSTED, str(error)) from error
            self._held_bytes += size_bytes

    def let_go(self) -> None:
        """Count none of them any more: whoever answers the message counts it now."""
        with self._quota.lock:
            self._quota.let_go(self._held_bytes)
            self._held_bytes = 0

    def end(self) -> None:
        """Know that the call is over."""
        with self._quota.lock:
            self.let_go()
            self._is_over = True


def service_handlers(service: str, methods: tuple[Method, ...]) -> Handlers:
    """Make the handlers of one service."""
    return {f"/{service}/{method.name}": Unary(_parsing(method)) for method in methods}


def services_of(handlers: Handlers) -> frozenset[str]:
    """Return the names of the services that have handlers."""
    return frozenset(name.split("/")[1] for name in handlers)


def _parsing(method: Method) -> AnswerCall:
    def answer(data: Data, rpc: Rpc) -> Sequence[Buffer]:
        try:
            request = method.request.FromString(data)
        except DecodeError as error:
            raise InvalidInput(
                f"The request is not a valid {method.request.__name__} - {error}"
            ) from error
        return (method.answer(request, rpc).SerializeToString(),)

    return answer


def infer_handler(inferring: Inferring, quota: MessageQuota) -> Unary:
    """Make the handler of a unary inference; its messages stay bytes."""
    answer = inferring.answer

    def infer(data: Data, rpc: Rpc) -> Sequence[Buffer]:
        with quota.holding(len(data)):
            return answer(data, rpc.deadline, rpc.on_end, rpc.peer)

    return Unary(infer, Kind.INFERENCE)


def health_handler(answer: Callable[[], bytes]) -> Unary:
    """Make the handler of a question about health: no message is parsed, nobody is waited for."""
    return Unary(lambda _, __: (answer(),), Kind.PROMPT)


def refusing(text: str) -> Unary:
    """Make a handler that answers UNIMPLEMENTED without reading the request."""

    def refuse(_: Data, __: Rpc) -> NoReturn:
        raise Ended(StatusCode.UNIMPLEMENTED, text)

    return Unary(refuse, Kind.PROMPT)
