"""Which model server a service asks: the one place that decides it."""

import logging
import socket
from dataclasses import dataclass

from camfleet.inference.channels import Access, Channels
from camfleet.inference.errors import AccessRefused, InferenceError
from camfleet.inference.kserve import SERVER_LIVE
from camfleet_contracts.settings import LOCAL, FleetSettings

ANSWER_S = 1.0  # the default server has so long to say that it is one
_CONNECT_S = 0.3

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """A server's address, or None for a private one."""

    server: str | None
    access: Access = Access()  # noqa: RUF009 - it is frozen


def choose_place(server: str | None, settings: FleetSettings) -> Place:
    """`server`, else CAMFLEET_SERVER, else the default server if it answers, else a private one.

    "local" for either of the first two asks for the private one.
    """
    told = server or (settings.server if "server" in settings.model_fields_set else "")
    access = access_of(settings)
    if told == LOCAL:
        return Place(None)
    if told:
        return Place(told, access)
    if _answers(settings.server, access):
        return Place(settings.server, access)
    return Place(None)


def access_of(settings: FleetSettings) -> Access:
    """How to present ourselves to a server that is not private."""
    key = settings.api_key.get_secret_value() if settings.api_key else None
    return Access(key, str(settings.tls_ca) if settings.tls_ca else None)


def _answers(address: str, access: Access) -> bool:
    """Whether a model server is there; whatever else has the port is not taken for one."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), _CONNECT_S).close()
    except OSError:
        return False
    channels = Channels(address, access)
    try:
        return channels.call(SERVER_LIVE, b"", timeout_s=ANSWER_S).live
    except AccessRefused:  # there is one
        return True
    except InferenceError as error:
        logger.warning("no model server at its default address address=%s: %s", address, error)
        return False
    finally:
        channels.close()
