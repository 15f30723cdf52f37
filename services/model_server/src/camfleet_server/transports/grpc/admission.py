"""Who may call over gRPC when the port is reachable from other machines."""

import functools
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any
from urllib.parse import unquote

import grpc

from camfleet_contracts.access import Network, bearer, is_allowed
from camfleet_contracts.keys import Key, KeyStore, TooManyChecks
from camfleet_server.transports.roles import VIEWER_MAY_NOT, may_change

_OPEN_METHODS = frozenset(
    f"/inference.GRPCInferenceService/{name}" for name in ("ServerLive", "ServerReady")
)
_CHANGING_METHODS = frozenset(
    f"/{name}"
    for name in (
        "tensorflow.serving.ModelService/HandleReloadConfigRequest",
        "inference.GRPCInferenceService/RepositoryModelLoad",
        "inference.GRPCInferenceService/RepositoryModelUnload",
        "inference.GRPCInferenceService/LogSettings",  # tells and changes
        "inference.GRPCInferenceService/SystemSharedMemoryRegister",
        "inference.GRPCInferenceService/SystemSharedMemoryUnregister",
    )
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
        """Pass the call on, or end it with the status that says why not."""
        method = handler_call_details.method
        handler = continuation(handler_call_details)
        if method not in _OPEN_METHODS:
            try:
                check = self._check_of(dict(handler_call_details.invocation_metadata))
            except TooManyChecks as error:
                return _refusing(grpc.StatusCode.RESOURCE_EXHAUSTED, str(error))
            if not check.done():  # gRPC has one thread for this, which must not wait
                handler = handler and _after_check(handler, check, method)
            elif refusal := _refusal_of(check.result(), method):
                return _refusing(*refusal)
        return self._from_allowed(handler) if handler and self._networks else handler

    def _check_of(self, metadata: dict[str, Any]) -> Future[Key | None]:
        presented = bearer(str(metadata.get("authorization", ""))) or metadata.get("x-api-key")
        return self._keys.start_check(str(presented or ""))

    def _from_allowed(self, handler: grpc.RpcMethodHandler) -> grpc.RpcMethodHandler:
        def refuse_strangers(context: grpc.ServicerContext) -> None:
            if not is_allowed(peer_address(context.peer()), self._networks):
                context.abort(grpc.StatusCode.PERMISSION_DENIED, _NO_NETWORK)

        return _before(handler, refuse_strangers)


def _after_check(
    handler: grpc.RpcMethodHandler, check: Future[Key | None], method: str
) -> grpc.RpcMethodHandler:
    def refuse_unknown(context: grpc.ServicerContext) -> None:
        if refusal := _refusal_of(check.result(), method):
            context.abort(*refusal)

    return _before(handler, refuse_unknown)


def _before(
    handler: grpc.RpcMethodHandler, look: Callable[[grpc.ServicerContext], None]
) -> grpc.RpcMethodHandler:
    """The handler, after `look` in the thread of the call, which may abort it."""
    name = next(name for name in _BEHAVIOURS if getattr(handler, name) is not None)
    answer = getattr(handler, name)

    @functools.wraps(answer)  # with the pool of threads gRPC is to run it in
    def guarded(request: Any, context: grpc.ServicerContext) -> Any:
        look(context)
        return answer(request, context)

    return handler._replace(**{name: guarded})


def peer_address(peer: str) -> str:
    """Take the address out of gRPC's `ipv4:1.2.3.4:5`; a unix socket counts as loopback."""
    family, _, rest = unquote(peer).partition(":")
    return "127.0.0.1" if family == "unix" else rest.rpartition(":")[0].strip("[]")


def _refusal_of(key: Key | None, method: str) -> tuple[grpc.StatusCode, str] | None:
    if key is None:
        return grpc.StatusCode.UNAUTHENTICATED, _NO_KEY
    if method in _CHANGING_METHODS and not may_change(key):
        return grpc.StatusCode.PERMISSION_DENIED, VIEWER_MAY_NOT
    return None


def _refusing(code: grpc.StatusCode, text: str) -> grpc.RpcMethodHandler:
    return grpc.stream_stream_rpc_method_handler(lambda _, context: context.abort(code, text))
