"""Where calls begin: their headers are looked at, and what receives their messages is made."""

from typing import Protocol

from camfleet_server.transports.grpc.admission import Admission
from camfleet_server.transports.grpc.calls import Handlers, MessageQuota, Unary
from camfleet_server.transports.grpc.channel_arguments import MessageLimits
from camfleet_server.transports.grpc.messages import MessageReader
from camfleet_server.transports.grpc.requests import RequestHead, read_head
from camfleet_server.transports.grpc.rpc import Rpc
from camfleet_server.transports.grpc.status import Ended, StatusCode
from camfleet_server.transports.grpc.unary import CallPools, UnaryCall, refuse_if_full
from camfleet_server.transports.http2.connection import Connection
from camfleet_server.transports.http2.exchange import Exchange, Receiver, Unwanted


class Startable(Protocol):
    """A call of which something is whole now."""

    def start(self, *, is_only: bool) -> None:
        """Answer here, or have it answered; `is_only`: nothing else became whole with it."""
        ...


class Front:
    """Serves connections: finds the handler of each call."""

    read_head = staticmethod(read_head)

    def __init__(
        self,
        handlers: Handlers,
        pools: CallPools,
        admission: Admission | None,
        limits: MessageLimits,
        quota: MessageQuota,
    ) -> None:
        self._handlers = handlers
        self._pools = pools
        self._admission = admission
        self._limits = limits
        self._quota = quota

    def open(self, connection: Connection, exchange: Exchange, head: RequestHead) -> Receiver:
        """Begin with a call; one that is refused is answered at once and its messages dropped."""
        rpc = Rpc(connection, exchange, head.timeout_s, self._limits.sent_bytes)
        try:
            return self._receiver(rpc, head)
        except Ended as ended:
            rpc.fail(ended.code, str(ended))
            return Unwanted()

    def answer(self, ready: list[Startable]) -> None:
        """Answer what became whole, or have it answered."""
        is_only = len(ready) == 1
        for call in ready:
            call.start(is_only=is_only)

    def _receiver(self, rpc: Rpc, head: RequestHead) -> Receiver:
        if head.fault is not None:
            raise Ended(*head.fault)
        handler = self._handlers.get(head.path)
        if handler is None:
            raise Ended(StatusCode.UNIMPLEMENTED, f"Method not found: {head.path[:200]}")
        check = None
        if self._admission is not None:
            check = self._admission.check(head.path, head.metadata, rpc.peer())
        size = self._limits.received_bytes
        if not isinstance(handler, Unary):
            return handler.open(rpc, MessageReader(size, head.encoding), check)
        pool = self._pools.of(handler.kind)
        refuse_if_full(pool)  # unread
        hand = self._quota.hand_of(rpc)
        messages = MessageReader(size, head.encoding, hand)
        return UnaryCall(rpc, handler, messages, pool, check, hand)
