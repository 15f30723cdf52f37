"""Who may call over gRPC when the port is reachable from other machines."""

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import grpc

from camfleet_contracts.access import Network, bearer, is_allowed
from camfleet_contracts.keys import KeyStore

_OPEN_METHODS = frozenset(
    f"/inference.GRPCInferenceService/{name}" for name in ("ServerLive", "ServerReady")
)
_NO_KEY = (
    "a key is needed: send metadata 'authorization: Bearer <key>'; `camfleet key add` makes one"
)
_NO_NETWORK = "this network is not in ALLOW_CIDR"
_BEHAVIOURS = ("unary_unary", "unary_stream", "stream_unary", "stream_stream")


class Admission(grpc.ServerInterceptor):  # type: ignore[misc] # grpc has no types
    """Lets calls in that carry a valid key from an allowed network; health needs no key."""

    def __init__(self, keys: KeyStore, networks: tuple[Network, ...] = ()) -> None:
        self._keys = keys
        self._networks = networks

    def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], grpc.RpcMethodHandler],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler:
        """Pass the call on, or end it with UNAUTHENTICATED or PERMISSION_DENIED."""
        is_open = handler_call_details.method in _OPEN_METHODS
        if not is_open and not self._has_key(dict(handler_call_details.invocation_metadata)):
            return _refusing_key
        handler = continuation(handler_call_details)
        return self._from_allowed(handler) if handler and self._networks else handler

    def _has_key(self, metadata: dict[str, Any]) -> bool:
        presented = bearer(str(metadata.get("authorization", ""))) or metadata.get("x-api-key")
        return bool(presented) and self._keys.check(str(presented)) is not None

    def _from_allowed(self, handler: grpc.RpcMethodHandler) -> grpc.RpcMethodHandler:
        name = next(name for name in _BEHAVIOURS if getattr(handler, name) is not None)
        answer = getattr(handler, name)

        def guarded(request: Any, context: grpc.ServicerContext) -> Any:
            if not is_allowed(peer_address(context.peer()), self._networks):
                context.abort(grpc.StatusCode.PERMISSION_DENIED, _NO_NETWORK)
            return answer(request, context)

        return handler._replace(**{name: guarded})


def peer_address(peer: str) -> str:
    """Take the address out of gRPC's `ipv4:1.2.3.4:5`; a unix socket counts as loopback."""
    family, _, rest = unquote(peer).partition(":")
    return "127.0.0.1" if family == "unix" else rest.rpartition(":")[0].strip("[]")


def _refuse_key(_: Any, context: grpc.ServicerContext) -> Any:
    context.abort(grpc.StatusCode.UNAUTHENTICATED, _NO_KEY)


_refusing_key = grpc.stream_stream_rpc_method_handler(_refuse_key)
