"""Digest (RFC 2617, as cameras and FFmpeg speak it) and Basic authentication."""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Awaitable, Callable

from camfleet_capture.rtsp.requests import Request

USER = "camfleet"
_REALM = "camfleet"
_FIELD = re.compile(r'(\w+)=(?:"([^"]*)"|([^\s,]*))')


class Authenticator:
    """Checks the Authorization header of requests.

    Args:
        secret: password of the user `camfleet`; the only one Digest can know.
        check_key: says whether a password, presented by Basic from an address, is one of the
            fleet's keys.
    """

    def __init__(self, secret: str, check_key: Callable[[str, str], Awaitable[bool]]) -> None:
        self._secret = secret
        self._check_key = check_key

    def challenges(self, nonce: str) -> tuple[str, ...]:
        """Return the headers of a 401 answer."""
        return (
            f'WWW-Authenticate: Digest realm="{_REALM}", nonce="{nonce}", algorithm=MD5',
            f'WWW-Authenticate: Basic realm="{_REALM}"',
        )

    async def accepts(self, request: Request, nonce: str, peer: str) -> bool:
        """Tell whether a request from `peer` proves a password; raises as `check_key`."""
        scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            return await self._accepts_basic(credentials, peer)
        if scheme.lower() == "digest":
            return self._accepts_digest(request, credentials, nonce)
        return False

    async def _accepts_basic(self, credentials: str, peer: str) -> bool:
        try:
            pair = base64.b64decode(credentials, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return False
        user, _, password = pair.partition(":")
        if user == USER and hmac.compare_digest(password.encode(), self._secret.encode()):
            return True
        return await self._check_key(password, peer)

    def _accepts_digest(self, request: Request, credentials: str, nonce: str) -> bool:
        fields = {
            name.lower(): quoted or bare for name, quoted, bare in _FIELD.findall(credentials)
        }
        if fields.get("nonce") != nonce or fields.get("username") != USER:
            return False
        first = _md5(f"{USER}:{_REALM}:{self._secret}")
        second = _md5(f"{request.method}:{fields.get('uri', '')}")
        middle = nonce
        if fields.get("qop"):
            middle = f"{nonce}:{fields.get('nc', '')}:{fields.get('cnonce', '')}:{fields['qop']}"
        wanted = _md5(f"{first}:{middle}:{second}")
        return hmac.compare_digest(wanted.encode(), fields.get("response", "").lower().encode())


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
