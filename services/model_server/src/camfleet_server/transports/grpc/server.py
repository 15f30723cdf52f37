"""The gRPC port: TensorFlow Serving and KServe v2 side by side on a thread pool."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc

from camfleet_server.metrics import ServerMetrics
from camfleet_server.transports.grpc.admission import Admission
from camfleet_server.transports.grpc.kserve import KserveService
from camfleet_server.transports.grpc.tfs import TfsService
from camfleet_server.transports.listening import PortTaken, TlsFiles
from camfleet_server.transports.served import Served

MAX_MESSAGE_BYTES = 1 << 30  # as OVMS
DEFAULT_THREADS = 128  # a stream holds one for as long as it is open; started on demand
_NOT_OURS = "taken, or not an address of this machine"
_OPTIONS = (
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.so_reuseport", 0),  # a second server on the port must fail, not share it
)


class GrpcServer:
    """Serves the data plane until it is stopped."""

    def __init__(
        self,
        served: Served,
        metrics: ServerMetrics,
        *,
        server_name: str = "camfleet",
        admission: Admission | None = None,
        threads: int = DEFAULT_THREADS,
    ) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="grpc")
        handlers = TfsService(served, metrics).handlers()
        handlers += KserveService(served, metrics, server_name).handlers()
        interceptors = () if admission is None else (admission,)
        self._server = grpc.server(
            self._pool, handlers=handlers, interceptors=interceptors, options=_OPTIONS
        )

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
        """Listen on a unix socket as well."""
        self._add_port(f"unix:{path}", None)

    def start(self) -> None:
        """Begin to answer."""
        self._server.start()

    def stop(self, grace_s: float = 5.0) -> None:
        """Take no new calls, let running ones finish for `grace_s`, then cut them."""
        self._server.stop(grace_s).wait()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _add_port(self, address: str, tls: TlsFiles | None) -> int:
        if tls is None:
            return int(self._server.add_insecure_port(address))
        return int(self._server.add_secure_port(address, _credentials(tls)))


def _credentials(tls: TlsFiles) -> grpc.ServerCredentials:
    pair = (tls.key.read_bytes(), tls.cert.read_bytes())
    return grpc.ssl_server_credentials([pair])
