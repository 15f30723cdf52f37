"""The addresses of CAMFLEET_SERVER and one gRPC channel for each."""

import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc

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
from camfleet.inference.kserve import Call, Reply
from camfleet_contracts.access import is_loopback

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
_Metadata = tuple[tuple[str, str], ...] | None

_NOT_LOADED = "not loaded yet"
_OWN_DEADLINE = "Deadline Exceeded"  # what gRPC says when it ended the wait, and no server did
ABSENT_REST_S, SILENT_REST_S = 1.0, 15.0


@dataclass(frozen=True, slots=True)
class Access:
    """How to present ourselves to the servers."""

    key: str | None = None
    root_certificates: str | None = None  # a path; TLS is used when it is given


class _Server:
    """One address, its channel, and whether it is worth asking now."""

    def __init__(self, address: str, access: Access) -> None:
        self._channel = _open_channel(address, access)
        self._stubs: dict[str, Callable[..., Any]] = {}
        self._away_until_s = 0.0

    def ask(
        self, call: Call[Reply], request: bytes, timeout_s: float | None, metadata: _Metadata
    ) -> Reply:
        """Make a call; raises grpc.RpcError."""
        stub = self._stubs.get(call.name)
        if stub is None:
            parse = call.reply.FromString
            stub = self._channel.unary_unary(call.path, response_deserializer=parse)
            self._stubs[call.name] = stub
        reply: Reply = stub(request, timeout=timeout_s, metadata=metadata)
        return reply

    @property
    def is_away(self) -> bool:
        """True for a while after it failed to answer."""
        return time.monotonic() < self._away_until_s

    def note(self, failure: ServerAbsent | None) -> None:
        """Remember that it did not answer; one that costs a whole deadline is left for longer."""
        rest_s = SILENT_REST_S if isinstance(failure, ServerSilent) else ABSENT_REST_S
        self._away_until_s = time.monotonic() + rest_s if failure else 0.0

    def close(self) -> None:
        """Close the channel."""
        self._channel.close()


class Channels:
    """Calls one of several servers in turn, the next one where one does not answer. Thread-safe.

    Servers that did not answer are asked last for a while: each is one caller's loss, not all's.
    """

    def __init__(self, server: str, access: Access) -> None:
        self.server = server
        addresses = [part.strip() for part in server.split(",") if part.strip()]
        self._servers = [_Server(address, access) for address in addresses]
        self._turn = itertools.count()
        self._metadata = (("authorization", f"Bearer {access.key}"),) if access.key else None

    def call(
        self, call: Call[Reply], request: bytes, model: str = "", timeout_s: float | None = None
    ) -> Reply:
        """Make a call about a model; without `timeout_s` it may take for ever.

        Raises:
            InferenceError: what inference.errors names.
        """
        failure: InferenceError = ServerAbsent(self.server)
        for server in self._in_turn():
            try:
                answer = server.ask(call, request, timeout_s, self._metadata)
            except grpc.RpcError as error:
                failure = self._translate(error, model)
                if not isinstance(failure, ServerAbsent):
                    break
                server.note(failure)
            except ValueError as error:  # gRPC's word for a channel that was closed meanwhile
                text = f"the connection to {self.server} was closed; load() makes another one"
                raise InferenceError(text) from error
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
            server.close()

    def _translate(self, error: Any, model: str) -> InferenceError:
        status, text = error.code().name, str(error.details())
        if status == "UNAVAILABLE":
            return ModelNotReady(model, text) if _NOT_LOADED in text else ServerAbsent(self.server)
        if status == "NOT_FOUND":
            return ModelMissing(model, self.server)
        if status == "DEADLINE_EXCEEDED" and _OWN_DEADLINE in text:
            return ServerSilent(self.server)
        if status in {"RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED", "ABORTED"}:
            return ServerBusy(self.server, text)
        if status in {"UNAUTHENTICATED", "PERMISSION_DENIED"}:
            return AccessRefused(self.server)
        return InferenceRefused(model, text)


def _is_local(address: str) -> bool:
    """True where the services speak clear text among themselves."""
    host = address.removeprefix("dns:///").rpartition(":")[0].strip("[]")
    return address.startswith("unix:") or is_loopback(host)


def _open_channel(address: str, access: Access) -> grpc.Channel:
    if access.root_certificates is None or _is_local(address):
        return grpc.insecure_channel(address, options=_CHANNEL_ARGUMENTS)
    certificates = Path(access.root_certificates).read_bytes()
    credentials = grpc.ssl_channel_credentials(root_certificates=certificates)
    return grpc.secure_channel(address, credentials, options=_CHANNEL_ARGUMENTS)
