"""A script's connection to a page: pictures and texts go out, what people want comes back."""

import json
import ssl
import threading
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Self
from urllib.parse import quote, urlsplit

from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage
from websockets.sync.client import ClientConnection, connect

from camfleet.errors import CannotShow
from camfleet_contracts.access import is_loopback

_OPEN_LIMIT_S = 5.0
_KEY_NEEDED = 4401


class NobodyAnswers(Exception):
    """Nothing listens at the address."""


class Feed:
    """An open panel; `changed` is called, in a thread of its own, when people want something."""

    def __init__(
        self, connection: ClientConnection, closing: ExitStack, changed: Callable[[], None]
    ) -> None:
        """Take over an open connection, which `closing` ends, once the page has greeted."""
        self._connection, self._changed = connection, changed
        self.is_watched = self.is_to_stop = self.is_closed = False
        self.arrived = 0  # viewers so far
        self._take(connection.recv(timeout=_OPEN_LIMIT_S))
        self._closing = closing.pop_all()
        self._thread = threading.Thread(target=self._receive, name="streamer-feed", daemon=True)
        self._thread.start()

    @classmethod
    def open(cls, address: str, name: str, key: str | None, changed: Callable[[], None]) -> Self:
        """Open a panel of this name on the page at http(s)://host:port.

        Raises:
            NobodyAnswers: nothing listens there.
            CannotShow: what listens there is no page of ours, or wants another key.
        """
        url = f"{address.replace('http', 'ws', 1)}/v1/panels/{quote(name, safe='')}/feed"
        headers = {"x-api-key": key} if key else {}
        context = _context_for(address)
        try:
            with ExitStack() as closing:
                connection = closing.enter_context(
                    connect(
                        url,
                        additional_headers=headers,
                        compression=None,
                        proxy=None,
                        ssl=context,
                        open_timeout=_OPEN_LIMIT_S,
                        close_timeout=_OPEN_LIMIT_S,
                    )
                )
                return cls(connection, closing, changed)
        except ConnectionRefusedError as error:
            raise NobodyAnswers(address) from error
        except ConnectionClosed as error:
            raise CannotShow(_refusal(address, error)) from error
        except (OSError, InvalidHandshake, InvalidMessage) as error:
            raise CannotShow(
                f"what listens at {address} is not a camfleet page ({error}); set STREAMER_PORT to "
                "a free port, or end it"
            ) from error

    def tell(self, text: str) -> None:
        """Show a text. What cannot be sent is lost; `is_closed` tells."""
        self._send(json.dumps({"text": text}))

    def show(self, jpeg: bytes) -> None:
        """Show a picture. What cannot be sent is lost; `is_closed` tells."""
        self._send(jpeg)

    def close(self) -> None:
        """Take the panel from the page."""
        self._closing.close()
        self._thread.join(_OPEN_LIMIT_S)

    def _send(self, message: str | bytes) -> None:
        try:
            self._connection.send(message)
        except (ConnectionClosed, OSError):
            self.is_closed = True

    def _receive(self) -> None:
        try:
            for message in self._connection:
                self._take(message)
                self._changed()
        except (ConnectionClosed, OSError):
            pass
        finally:
            self.is_closed = True
            self._changed()

    def _take(self, message: str | bytes) -> None:
        wishes: dict[str, Any] = json.loads(message)
        self.is_watched, self.arrived = bool(wishes.get("watched")), int(wishes.get("arrived", 0))
        self.is_to_stop = self.is_to_stop or bool(wishes.get("stop"))


def _refusal(address: str, closed: ConnectionClosed) -> str:
    code = closed.rcvd.code if closed.rcvd else 0
    if code == _KEY_NEEDED:
        return (
            f"the page at {address} wants a key; set CAMFLEET_API_KEY, or CAMFLEET_STATE to the "
            "state folder of that fleet, or STREAMER_PORT for a page of your own"
        )
    reason = closed.rcvd.reason if closed.rcvd else "it closed the connection"
    return f"the page at {address}: {reason}"


def _context_for(address: str) -> ssl.SSLContext | None:
    if not address.startswith("https:"):
        return None
    context = ssl.create_default_context()
    if is_loopback(urlsplit(address).hostname or ""):
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context
