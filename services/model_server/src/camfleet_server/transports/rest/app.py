"""The REST application: TensorFlow Serving, KServe v2, OVMS's configuration paths, health."""

from starlette.applications import Starlette
from starlette.types import ASGIApp

from camfleet_contracts.access import HEALTH_PATHS, KeyMiddleware, Network
from camfleet_contracts.keys import KeyStore
from camfleet_server.metrics import ServerMetrics
from camfleet_server.serving.shared_memory import SharedMemory
from camfleet_server.transports.rest.admin import AdminRoutes
from camfleet_server.transports.rest.calls import ERROR_HANDLERS, ending_faults
from camfleet_server.transports.rest.kserve import KserveRoutes
from camfleet_server.transports.rest.tfs import TfsRoutes
from camfleet_server.transports.rest.work import DEFAULT_WORKERS, Work
from camfleet_server.transports.served import Served

_CONTROL_WORKERS = 8
_OPEN_PATHS = HEALTH_PATHS | {"/v2/health/live", "/v2/health/ready"}


def build_app(
    served: Served,
    metrics: ServerMetrics,
    *,
    server_name: str = "camfleet",
    workers: int = DEFAULT_WORKERS,
    memory: SharedMemory | None = None,
) -> ASGIApp:
    """Build the ASGI application."""
    routes = [
        *AdminRoutes(served, metrics).routes(),
        *KserveRoutes(served, metrics, server_name, memory or SharedMemory()).routes(),
        *TfsRoutes(served, metrics).routes(),
    ]
    app = Starlette(routes=routes, exception_handlers=ERROR_HANDLERS)
    app.router.redirect_slashes = False
    app.state.work = Work(workers, "rest-infer")
    app.state.control = Work(_CONTROL_WORKERS, "rest-control")
    return ending_faults(app)


def guarded(app: ASGIApp, keys: KeyStore | None, networks: tuple[Network, ...] = ()) -> ASGIApp:
    """Have every path but health ask for a key, when there are any."""
    if keys is None:
        return app
    return KeyMiddleware(app, keys, open_paths=_OPEN_PATHS, networks=networks)
