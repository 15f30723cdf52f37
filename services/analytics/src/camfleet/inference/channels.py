"""The addresses of CAMFLEET_SERVER and one gRPC client for each."""

import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from camfleet.inference.errors import (
    AccessRefused,
    InferenceError,
    InferenceRefused,
    ModelMissing,
    ModelNotReady,
    ServerAbsent,
    ServerBusy,
    ServerSilent,
)
from camfleet_contracts.access import is_loopback

T = TypeVar("T")

# A lost server is tried again within two seconds, also after a long time.
_CHANNEL_ARGUMENTS: Sequence[tuple[str, object]] = (
    ("grpc.initial_reconnect_backoff_ms", 250),
    ("grpc.min_reconnect_backoff_ms", 250),
    ("grpc.max_reconnect_backoff_ms", 2000),
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 5000),
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    ("grpc.lb_policy_name", "round_robin"),
    (
        "grpc.enable_http_proxy",
        0,
    ),  # the servers are ours; a proxy of the environment is not for them
)
_NOT_LOADED = "not loaded yet"
_OWN_DEADLINE = "Deadline Exceeded"  # what gRPC says when it ended the wait, and no server did
ABSENT_REST_S, SILENT_REST_S = 1.0, 15.0


@dataclass(frozen=True, slots=True)
class Access:
    """How to present ourselves to the servers."""

    key: str | None = None
    root_certificates: str | None = None  # a path; TLS is used when it is given


class _Server:
    """One address, its client, and whether it is worth asking now."""

    def __init__(self, address: str, access: Access) -> None:
        self.client = _open_client(address, access)
        self._away_until_s = 0.0

    @property
    def is_away(self) -> bool:
        """True for a while after it failed to answer."""
        return time.monotonic() < self._away_until_s

    def note(self, failure: ServerAbsent | None) -> None:
        """Remember that it did not answer; one that costs a whole deadline is left for longer."""
        rest_s = SILENT_REST_S if isinstance(failure, ServerSilent) else ABSENT_REST_S
        self._away_until_s = time.monotonic() + rest_s if failure else 0.0


class Channels:
    """Calls one of several servers in turn, the next one where one does not answer. Thread-safe.

    Servers that did not answer are asked last for a while: each is one caller's loss, not all's.
    """

    def __init__(self, server: str, access: Access) -> None:
        self.server = server
        addresses = [part.strip() for part in server.split(",") if part.strip()]
        self._servers = [_Server(address, access) for address in addresses]
        self._turn = itertools.count()
        self._headers = {"authorization": f"Bearer {access.key}"} if access.key else None

    def call(self, ask: Callable[[Any, dict[str, str] | None], T], model: str) -> T:
        """Run `ask(client, headers)`; raises what inference.errors names."""
        failure: InferenceError = ServerAbsent(self.server)
        for server in self._in_turn():
            try:
                answer = ask(server.client, self._headers)
            except _client_error() as error:
                failure = self._translate(error, model)
                if not isinstance(failure, ServerAbsent):
                    break
                server.note(failure)
            else:
                server.note(None)
                return answer
        raise failure

    def _in_turn(self) -> list[_Server]:
        first = next(self._turn) % len(self._servers)
        turned = self._servers[first:] + self._servers[:first]
        return sorted(turned, key=lambda server: server.is_away)

    def close(self) -> None:
        """Close every channel."""
        for server in self._servers:
            server.client.close()

    def _translate(self, error: Any, model: str) -> InferenceError:
        status, text = str(error.status()).removeprefix("StatusCode."), str(error.message())
        if status == "UNAVAILABLE":
            return ModelNotReady(model, text) if _NOT_LOADED in text else ServerAbsent(self.server)
        if status == "NOT_FOUND":
            return ModelMissing(model, self.server)
        if status == "DEADLINE_EXCEEDED" and text == _OWN_DEADLINE:
            return ServerSilent(self.server)
        if status in {"RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED", "ABORTED"}:
            return ServerBusy(self.server, text)
        if status in {"UNAUTHENTICATED", "PERMISSION_DENIED"}:
            return AccessRefused(self.server)
        return InferenceRefused(model, text)


def _client_error() -> type[Exception]:
    from tritonclient.utils import InferenceServerException  # noqa: PLC0415 - slow to import

    kind: type[Exception] = InferenceServerException
    return kind


def _is_local(address: str) -> bool:
    """True where the services speak clear text among themselves."""
    host = address.removeprefix("dns:///").rpartition(":")[0].strip("[]")
    return address.startswith("unix:") or is_loopback(host)


def _open_client(address: str, access: Access) -> Any:
    from tritonclient import grpc as triton  # noqa: PLC0415 - slow to import

    return triton.InferenceServerClient(
        url=address,
        ssl=access.root_certificates is not None and not _is_local(address),
        root_certificates=access.root_certificates,
        channel_args=list(_CHANNEL_ARGUMENTS),
    )
