"""The gRPC port: TensorFlow Serving and KServe v2 side by side on pools of threads."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import grpc

from camfleet_server.metrics import ServerMetrics
from camfleet_server.serving.shared_memory import SharedMemory
from camfleet_server.transports.grpc.admission import Admission
from camfleet_server.transports.grpc.bounded import CallPools
from camfleet_server.transports.grpc.calls import Handlers, MessageQuota
from camfleet_server.transports.grpc.kserve import KserveService
from camfleet_server.transports.grpc.streams import StreamPool
from camfleet_server.transports.grpc.tfs import TfsService
from camfleet_server.transports.listening import PortTaken, TlsFiles, UnixSocket
from camfleet_server.transports.served import Served

MAX_MESSAGE_BYTES = 1 << 30  # as OVMS
DEFAULT_QUOTA_BYTES = 1 << 30
SPARE_THREADS = 128  # for those that run and for other models, while one model's queue is full
_HEALTH_THREADS = 2
_BUSY = frozenset(
    {
        "/inference.GRPCInferenceService/ModelInfer",
        "/tensorflow.serving.PredictionService/Predict",
    }
)
_NOT_OURS = "taken, or not an address of this machine"
_OPTIONS = (
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.so_reuseport", 0),  # a second server on the port must fail, not share it
)


@dataclass(frozen=True, slots=True)
class GrpcLimits:
    """How much one server has in hand at once; threads are started on demand."""

    threads: int = 256 + SPARE_THREADS  # unary inferences: a model's queue refuses before they end
    waiting: int = 1024  # unary calls that wait for a thread
    streams: int = 512  # open ModelStreamInfer
    ahead: int = 128  # requests of streams that are read ahead: half of a model's queue
    quota_bytes: int = DEFAULT_QUOTA_BYTES  # of large requests
    channel_arguments: tuple[tuple[str, int | str], ...] = ()  # gRPC's own, over ours


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
        self._health = ThreadPoolExecutor(_HEALTH_THREADS, thread_name_prefix="grpc-health")
        self._streams = StreamPool(limits.streams, limits.ahead)
        self._socket: UnixSocket | None = None
        metrics.watch_streams(self._streams.count)
        quota = MessageQuota(limits.quota_bytes)
        kserve = KserveService(served, metrics, server_name, memory or SharedMemory())
        handlers = TfsService(served, metrics).handlers(quota)
        handlers |= kserve.handlers(quota, self._streams, self._health)
        handlers = self._calls.give(handlers, _BUSY)
        interceptors = () if admission is None else (admission,)
        self._server = grpc.server(
            self._calls.inferring,
            handlers=(_Router(handlers),),
            interceptors=interceptors,
            options=tuple((dict(_OPTIONS) | dict(limits.channel_arguments)).items()),
        )
        self._register(handlers)

    def bind(self, host: str, port: int, tls: TlsFiles | None = None) -> int:
        """Take an address (port 0: any free one) and return the port.

        Raises:
            PortTaken: somebody else listens there, or the address is not ours.
        """
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        try:
            bound = self._add_port(address, tls)
        except RuntimeError as error:
            raise PortTaken("gRPC", address, "--port", _NOT_OURS) from error
        return bound

    def bind_unix(self, path: Path) -> None:
        """Listen on a unix socket as well; only this user may connect, and no key is asked.

        Raises:
            PortTaken: somebody listens there, or it cannot be made there.
        """
        self._socket = UnixSocket(path, "--grpc_socket_path")
        self._socket.take(lambda temporary: self._add_port(f"unix:{temporary}", None))

    def start(self) -> None:
        """Begin to answer."""
        self._server.start()

    def stop(self, grace_s: float = 5.0) -> None:
        """Take no new calls, let running ones finish for `grace_s`, then cut them."""
        ended = self._server.stop(grace_s)
        self._streams.drain()  # else streams that are merely open would use up the grace
        ended.wait()
        if self._socket is not None:
            self._socket.remove()
        self._streams.close()
        self._calls.close()
        self._health.shutdown(wait=False, cancel_futures=True)

    def _register(self, handlers: Handlers) -> None:
        """Tell gRPC the busy methods by name beforehand: it then finds them without asking."""
        for name in _BUSY:
            service, _, method = name.removeprefix("/").partition("/")
            self._server.add_registered_method_handlers(service, {method: handlers[name]})

    def _add_port(self, address: str, tls: TlsFiles | None) -> int:
        if tls is None:
            return int(self._server.add_insecure_port(address))
        return int(self._server.add_secure_port(address, _credentials(tls)))


class _Router(grpc.GenericRpcHandler):  # type: ignore[misc] # grpc has no types
    """Finds the handler of a call in one look-up."""

    def __init__(self, handlers: Handlers) -> None:
        self._handlers = handlers

    def service(
        self, handler_call_details: grpc.HandlerCallDetails
    ) -> grpc.RpcMethodHandler | None:
        return self._handlers.get(handler_call_details.method)


def _credentials(tls: TlsFiles) -> grpc.ServerCredentials:
    pair = (tls.key.read_bytes(), tls.cert.read_bytes())
    return grpc.ssl_server_credentials([pair])
