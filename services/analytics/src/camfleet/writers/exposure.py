"""Who may read what a writer sends: everybody on this machine; others need a network and a key."""

import base64
import binascii
import hmac
from dataclasses import dataclass
from typing import Self

from camfleet.writers.errors import CannotWrite
from camfleet_contracts.access import (
    Network,
    RefusedToListen,
    bearer,
    is_allowed,
    is_loopback,
    parse_networks,
)
from camfleet_contracts.settings import read_settings


@dataclass(frozen=True, slots=True)
class Exposure:
    """The networks that may connect (none: all of this machine) and the key they need."""

    networks: tuple[Network, ...] = ()
    key: str = ""

    @classmethod
    def of(cls, host: str) -> Self:
        """What listening at `host` asks for.

        Raises:
            CannotWrite: beyond loopback, and no network or no key is set.
        """
        if is_loopback(host):
            return cls()
        settings = read_settings()
        try:
            networks = parse_networks(settings.allow_cidr)
        except RefusedToListen as error:
            raise CannotWrite(str(error)) from error
        key = settings.api_key.get_secret_value() if settings.api_key else ""
        if not networks or not key:
            raise CannotWrite(
                f"refusing to listen on {host}: beyond loopback set CAMFLEET_API_KEY, which readers"
                " then give as password, and ALLOW_CIDR=<networks where clear text is accepted>"
            )
        return cls(networks, key)

    def admits_network(self, peer: str) -> bool:
        """Whether this address may connect."""
        return is_allowed(peer, self.networks)

    def admits(self, authorization: str, key: str = "") -> bool:
        """Whether the header `Authorization` (Basic or Bearer) or a key elsewhere is right."""
        if not self.key:
            return True
        presented = key or bearer(authorization) or _basic_password(authorization)
        return hmac.compare_digest(presented.encode(), self.key.encode())


def _basic_password(authorization: str) -> str:
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(token).decode("utf-8", "replace").partition(":")[2]
    except (binascii.Error, ValueError):
        return ""
