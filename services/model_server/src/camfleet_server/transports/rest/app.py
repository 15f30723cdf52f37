"""The REST application: TensorFlow Serving, KServe v2, OVMS's configuration paths, health."""

from starlette.applications import Starlette
from starlette.types import ASGIApp

from camfleet_contracts.access import HEALTH_PATHS, KeyMiddleware, Network
from camfleet_contracts.keys import KeyStore
from camfleet_server.metrics import ServerMetrics
from camfleet_server.transports.rest.admin import AdminRoutes
from camfleet_server.transports.rest.calls import ERROR_HANDLERS
from camfleet_server.transports.rest.kserve import KserveRoutes
from camfleet_server.transports.rest.tfs import TfsRoutes
from camfleet_server.transports.served import Served

_OPEN_PATHS = HEALTH_PATHS | {"/v2/health/live", "/v2/health/ready"}


def build_app(
    served: Served,
    metrics: ServerMetrics,
    *,
    server_name: str = "camfleet",
    keys: KeyStore | None = None,
    networks: tuple[Network, ...] = (),
) -> ASGIApp:
    """Build the ASGI application; with `keys` every path but health asks for one."""
    routes = [
        *AdminRoutes(served, metrics).routes(),
        *KserveRoutes(served, metrics, server_name).routes(),
        *TfsRoutes(served, metrics).routes(),
    ]
    app = Starlette(routes=routes, exception_handlers=ERROR_HANDLERS)
    if keys is None:
        return app
    return KeyMiddleware(app, keys, open_paths=_OPEN_PATHS, networks=networks)
