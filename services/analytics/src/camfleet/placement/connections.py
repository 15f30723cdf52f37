"""One client per model server and process; all services share them."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from camfleet.inference.detector import ServerDetector
from camfleet.inference.errors import ServerAbsent, ServerSilent
from camfleet.inference.model_client import ModelClient
from camfleet.placement.choice import Place, choose_place
from camfleet.placement.errors import PrivateServerEnded, ServerGone
from camfleet.placement.private_models import PrivateModels
from camfleet.placement.private_server import PrivateServer
from camfleet_contracts.settings import FleetSettings, read_settings

_KEEPER_END_S = 1.0  # a private server is gone a moment before its keeper


@dataclass(frozen=True, slots=True)
class Connection:
    """A server that services ask; `private` and `models` are there where it is ours."""

    client: ModelClient
    detector: ServerDetector
    private: PrivateServer | None = None
    models: PrivateModels | None = None

    @property
    def is_usable(self) -> bool:
        """False once a private server has ended."""
        return self.private is None or not self.private.has_ended()

    def close(self) -> None:
        """Close the channels, and end the server where it is ours."""
        self.detector.close()
        self.client.close()
        if self.private is not None:
            self.private.close()

    @contextmanager
    def saying_what_next(self) -> Iterator[None]:
        """Tell in the error what to do where nobody answers."""
        try:
            yield
        except ServerSilent:
            raise
        except ServerAbsent as error:
            if self.private is None:
                raise ServerGone(error.server) from error
            if self.private.has_ended(_KEEPER_END_S):
                raise PrivateServerEnded(self.private.last_words()) from error
            raise


_lock = threading.Lock()
_connections: dict[Place, Connection] = {}


def connect(server: str | None = None) -> Connection:
    """The connection to the server that `choose_place` names; made once.

    Raises:
        NoPrivateServer: none answers, and a private one cannot be started.
    """
    settings = read_settings()
    place = choose_place(server, settings)
    with _lock:
        known = _connections.get(place)
        if known is not None and known.is_usable:
            return known
        if known is not None:
            known.close()
        opened = open_at(place, settings)
        _connections[place] = opened
        return opened


def close_connections() -> None:
    """Close all; a private server ends. Services must be loaded again after it."""
    with _lock:
        for connection in _connections.values():
            connection.close()
        _connections.clear()


def open_at(place: Place, settings: FleetSettings) -> Connection:
    """A connection of the caller's own.

    Raises:
        NoPrivateServer: it is to be a private one, which cannot be started.
    """
    if place.server is not None:
        client = ModelClient(place.server, place.access)
        return Connection(client, ServerDetector(client))
    private = PrivateServer(settings)
    client = ModelClient(private.address, shares_memory=True)
    models = PrivateModels(private, client, settings.models_dir)
    return Connection(client, ServerDetector(client), private, models)


def _forget_in_child() -> None:
    """Channels do not survive a fork; the child makes its own."""
    global _lock  # noqa: PLW0603 - the old one may be held by a thread that is not here
    _lock = threading.Lock()
    _connections.clear()


os.register_at_fork(after_in_child=_forget_in_child)
