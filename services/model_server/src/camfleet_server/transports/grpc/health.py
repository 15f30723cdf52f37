"""gRPC's own health protocol (grpc.health.v1), which Kubernetes and load balancers ask.

`HealthCheckRequest` is one text, `HealthCheckResponse` one number
(https://github.com/grpc/grpc/blob/master/doc/health-checking.md): on the wire they are protobuf's
StringValue and Int32Value.
"""

from collections.abc import Callable
from typing import Final

from google.protobuf.wrappers_pb2 import Int32Value, StringValue

from camfleet_server.transports.grpc.calls import Handlers, Method, refusing, service_handlers
from camfleet_server.transports.grpc.rpc import Rpc
from camfleet_server.transports.grpc.status import Ended, StatusCode

HEALTH: Final = "grpc.health.v1.Health"
_SERVING, _NOT_SERVING = 1, 2
_NO_WATCH = "health is not watched here; ask Check again"  # clients then take it for good


def health_handlers(is_ready: Callable[[], bool], services: frozenset[str]) -> Handlers:
    """Return the handlers of the service; all that is served here is ready at the same time."""

    def check(request: StringValue, _: Rpc) -> Int32Value:
        if request.value and request.value not in services:
            text = f"no service {request.value[:200]!r}; there are {', '.join(sorted(services))}"
            raise Ended(StatusCode.NOT_FOUND, text)
        return Int32Value(value=_SERVING if is_ready() else _NOT_SERVING)

    methods = (Method("Check", check, StringValue, Int32Value),)
    return {**service_handlers(HEALTH, methods), f"/{HEALTH}/Watch": refusing(_NO_WATCH)}
