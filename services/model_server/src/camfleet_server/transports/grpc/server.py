"""The gRPC port: TensorFlow Serving and KServe v2 side by side, a thread for each connection."""

import threading
from dataclasses import dataclass
from pathlib import Path

from camfleet_contracts.logs import get_logger
from camfleet_server.metrics import ServerMetrics
from camfleet_server.serving.shared_memory import SharedMemory
from camfleet_server.transports.grpc.admission import Admission
from camfleet_server.transports.grpc.calls import MessageQuota, services_of
from camfleet_server.transports.grpc.channel_arguments import (
    ChannelArguments,
    connection_limits,
    lifetimes,
    message_limits,
    without_effect,
)
from camfleet_server.transports.grpc.front import Front
from camfleet_server.transports.grpc.health import health_handlers
from camfleet_server.transports.grpc.kserve import KserveService
from camfleet_server.transports.grpc.listener import Listener, bind_path
from camfleet_server.transports.grpc.stream_pool import StreamPool
from camfleet_server.transports.grpc.tfs import TfsService
from camfleet_server.transports.grpc.unary import CallPools
from camfleet_server.transports.http2.channels import Channel
from camfleet_server.transports.http2.connection import Connection
from camfleet_server.transports.http2.watch import Watch
from camfleet_server.transports.listening import (
    PortTaken,
    TlsFiles,
    UnixSocket,
    bind_address,
    written_address,
)
from camfleet_server.transports.served import Served

logger = get_logger(__name__)

DEFAULT_QUOTA_BYTES = 1 << 30
SPARE_THREADS = 128  # for those that run and for other models, while one model's queue is full
_NOT_OURS = "taken, or not an address of this machine"


@dataclass(frozen=True, slots=True)
class GrpcLimits:
    """How much one server has in hand at once; threads are started on demand."""

    threads: int = 256 + SPARE_THREADS  # unary inferences: a model's queue refuses before they end
    waiting: int = 1024  # unary calls that wait for a thread
    streams: int = 512  # open ModelStreamInfer
    ahead: int = 128  # requests of streams that are read ahead: half of a model's queue
    quota_bytes: int = DEFAULT_QUOTA_BYTES  # of large requests
    channel_arguments: ChannelArguments = ()  # gRPC's own, over ours


class GrpcServer:
    """Serves the data plane until it is stopped."""

    def __init__(
        self,
        served: Served,
        metrics: ServerMetrics,
        *,
        server_name: str = "camfleet",
        admission: Admission | None = None,
        limits: GrpcLimits | None = None,
        memory: SharedMemory | None = None,
    ) -> None:
        limits = limits or GrpcLimits()
        self._calls = CallPools(limits.threads, limits.waiting)
        self._streams = StreamPool(limits.streams, limits.ahead)
        metrics.watch_streams(self._streams.count)
        quota = MessageQuota(limits.quota_bytes)
        kserve = KserveService(served, metrics, server_name, memory or SharedMemory())
        handlers = TfsService(served, metrics).handlers(quota)
        handlers |= kserve.handlers(quota, self._streams)
        handlers |= health_handlers(served.ready, services_of(handlers))
        arguments = limits.channel_arguments
        for name in without_effect(arguments):
            logger.warning("channel argument without effect", name=name)
        messages = message_limits(arguments)
        self._front = Front(handlers, self._calls, admission, messages, quota)
        self._connection_limits = connection_limits(arguments)
        self._watch = Watch(lifetimes(arguments))
        self._listeners: list[Listener] = []
        self._socket: UnixSocket | None = None

    def bind(
        self, host: str, port: int, tls: TlsFiles | None = None, *, takes_ipv4: bool = True
    ) -> int:
        """Take an address (port 0: any free one) and return the port.

        `takes_ipv4`: an IPv6 wildcard takes IPv4 as well.

        Raises:
            PortTaken: somebody else listens there, or the address is not ours.
        """
        try:
            bound = bind_address(host, port, takes_ipv4=takes_ipv4)
        except OSError as error:
            address = written_address(host, port)
            raise PortTaken("gRPC", address, "--port", _NOT_OURS) from error
        listener = Listener(bound, tls, self._accept)
        self._listeners.append(listener)
        return listener.port

    def bind_unix(self, path: Path) -> None:
        """Listen on a unix socket as well; only this user may connect, and no key is asked.

        Raises:
            PortTaken: somebody listens there, or it cannot be made there.
        """
        self._socket = UnixSocket(path, "--grpc_socket_path")
        self._socket.take(
            lambda temporary: self._listeners.append(
                Listener(bind_path(temporary), None, self._accept)
            )
        )

    def start(self) -> None:
        """Begin to answer."""
        for listener in self._listeners:
            listener.start()

    def stop(self, grace_s: float = 5.0) -> None:
        """Take no new calls, let running ones finish for `grace_s`, then cut them."""
        self._streams.is_draining = True  # before anybody can see that the port closes
        for listener in self._listeners:
            listener.stop()
        self._watch.say_farewell()
        self._streams.cancel_idle()  # else those merely open would use up the grace
        self._watch.stop(grace_s)
        if self._socket is not None:
            self._socket.remove()
        self._streams.close()
        self._calls.close()

    def _accept(self, channel: Channel, peer: str) -> None:
        connection = Connection(channel, peer, self._front, self._connection_limits, self._watch)
        if not self._watch.enter(connection):
            logger.warning("too many connections", refused=peer)
            channel.close()
            return
        try:
            threading.Thread(target=connection.run, name="grpc-read", daemon=True).start()
        except RuntimeError:  # no thread to be had
            self._watch.leave(connection)
            raise
