"""Where the fleet's page is, and with which key a script of this machine comes in."""

from camfleet_contracts.access import speaks_tls
from camfleet_contracts.keys import KeyStore
from camfleet_contracts.settings import FleetSettings

_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - replaced, not bound to


def page_address(settings: FleetSettings, port: int) -> str:
    """The address of what listens at BIND_ADDRESS and this port, as this machine reaches it."""
    bind = settings.bind_address
    host = _ANY.get(bind, bind)
    scheme = "https" if speaks_tls(bind, settings) else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def fleet_key(settings: FleetSettings) -> str | None:
    """CAMFLEET_API_KEY, else the secret of the fleet whose state folder this is."""
    if settings.api_key:
        return settings.api_key.get_secret_value()
    if settings.state_dir.is_dir():
        return KeyStore(settings.state_dir / "keys.json").fleet_secret()
    return None
