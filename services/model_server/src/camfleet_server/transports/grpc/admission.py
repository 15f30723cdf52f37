"""Who may call over gRPC when the port is reachable from other machines."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from functools import partial
from typing import TypeAlias
from urllib.parse import unquote

from camfleet_contracts.access import Network, bearer, is_allowed
from camfleet_contracts.keys import Key, KeyStore, TooManyChecks
from camfleet_server.transports.grpc.status import Ended, StatusCode
from camfleet_server.transports.roles import VIEWER_MAY_NOT, may_change

_OPEN_METHODS = frozenset(
    f"/{name}"
    for name in (
        "inference.GRPCInferenceService/ServerLive",
        "inference.GRPCInferenceService/ServerReady",
        "grpc.health.v1.Health/Check",
    )
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
_UNKNOWN_KEY = "this key is unknown or was revoked; `camfleet key add` makes one"
_NO_NETWORK = "this network is not in ALLOW_CIDR"

Check: TypeAlias = Callable[[], None]
"""Waits until it is known whose key a call has; raises `Ended` if it must not go on."""


class Admission:
    """Lets calls in that carry a valid key from an allowed network; health needs no key."""

    def __init__(self, keys: KeyStore, networks: tuple[Network, ...] = ()) -> None:
        self._keys = keys
        self._networks = networks

    def check(self, method: str, metadata: Mapping[str, str], peer: str) -> Check | None:
        """Let a call in, or return what must be asked first by a thread that may wait.

        Raises:
            Ended: it must not go on.
        """
        address = peer_address(peer)
        if self._networks and not is_allowed(address, self._networks):
            raise Ended(StatusCode.PERMISSION_DENIED, _NO_NETWORK)
        if method in _OPEN_METHODS:
            return None
        presented = bearer(metadata.get("authorization", "")) or metadata.get("x-api-key", "")
        try:
            checking = self._keys.start_check(presented)
        except TooManyChecks as error:
            raise Ended(StatusCode.RESOURCE_EXHAUSTED, str(error)) from error
        check = partial(self._refuse_unless, checking, method, address if presented else None)
        if not checking.done():
            return check
        check()
        return None

    def _refuse_unless(self, checking: Future[Key | None], method: str, peer: str | None) -> None:
        """`peer` is who presented a key, None where there was none."""
        key = checking.result()
        if key is None and peer is not None:
            self._keys.wrong.note(peer)
        if key is None:
            raise Ended(StatusCode.UNAUTHENTICATED, _NO_KEY if peer is None else _UNKNOWN_KEY)
        if method in _CHANGING_METHODS and not may_change(key):
            raise Ended(StatusCode.PERMISSION_DENIED, VIEWER_MAY_NOT)


def peer_address(peer: str) -> str:
    """Take the address out of gRPC's `ipv4:1.2.3.4:5`; a unix socket counts as loopback."""
    family, _, rest = unquote(peer).partition(":")
    return "127.0.0.1" if family == "unix" else rest.rpartition(":")[0].strip("[]")
