"""Login links of the page and of JupyterLab, made in the key store of the fleet."""

import socket
from http import HTTPStatus
from typing import Literal
from urllib.error import HTTPError

from camfleet.cli.errors import CommandError
from camfleet.cli.settings import WHICH_FLEET
from camfleet_contracts.access import is_loopback, speaks_tls
from camfleet_contracts.direct import read_service
from camfleet_contracts.keys import KeyStore
from camfleet_contracts.settings import FleetSettings

_ANY = {"0.0.0.0", "::", ""}  # noqa: S104 - compared with, not bound to
_PATIENCE_S = 1.0
Role = Literal["admin", "viewer"]


def key_store(settings: FleetSettings) -> KeyStore:
    """The fleet's key store, created when it is not there."""
    store = KeyStore(settings.state_dir / "keys.json")
    store.ensure(settings.api_key, settings.service_key)
    return store


def page_address(settings: FleetSettings, port: int) -> str:
    """The address of a service as a browser on this network would write it."""
    host = settings.bind_address
    if host in _ANY:
        host = _outward_address()
    scheme = "https" if speaks_tls(settings.bind_address, settings) else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def is_silent(settings: FleetSettings, *, jupyter: bool = False) -> bool:
    """Whether a link would lead nowhere: nobody listens there on this machine.

    What is not bound to loopback may be in another container, and is not judged.
    """
    if not is_loopback(settings.bind_address):
        return False
    try:
        with socket.create_connection(
            (settings.bind_address, _port(settings, jupyter)), _PATIENCE_S
        ):
            return False
    except OSError:
        return True


def check_own_page(settings: FleetSettings) -> None:
    """Refuse to make what the page that listens here would not accept.

    Raises:
        CommandError: it is the page of another fleet.
    """
    if is_silent(settings):
        return
    page = page_address(settings, settings.streamer_port)
    try:
        read_service(f"{page}/v1/status", _PATIENCE_S, own_key(settings))
    except HTTPError as error:
        if error.code == HTTPStatus.UNAUTHORIZED:
            raise other_fleet(settings, page) from error
    except OSError:  # it begins, or ends: nothing speaks against it
        return


def own_key(settings: FleetSettings) -> dict[str, str]:
    """How a command presents itself to the services of its fleet."""
    return {"x-api-key": key_store(settings).fleet_secret()}


def other_fleet(settings: FleetSettings, address: str) -> CommandError:
    """Say that a service knows no key of ours."""
    return CommandError(
        f"what listens at {address} knows no key of {settings.state_dir.absolute()}: it belongs "
        f"to another fleet; {WHICH_FLEET}"
    )


def login_link(
    settings: FleetSettings, *, jupyter: bool = False, role: Role = "admin", lifetime_s: float = 900
) -> str:
    """A link that logs in once within its lifetime.

    Raises:
        CommandError: a viewer is to log in to Jupyter.
    """
    if jupyter and role != "admin":
        raise CommandError("JupyterLab runs code on this machine: its links are for admins only")
    token = key_store(settings).new_login(role=role, lifetime_s=lifetime_s)
    port = _port(settings, jupyter)
    path = f"{settings.jupyter_base_url}lab" if jupyter else "/login"
    return f"{settings.public_url or page_address(settings, port)}{path}?token={token}"


def _port(settings: FleetSettings, jupyter: bool) -> int:
    return settings.jupyter_port if jupyter else settings.streamer_port


def _outward_address() -> str:
    """The address other machines reach this one at; no packet is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.1"
        address: str = probe.getsockname()[0]
        return address
