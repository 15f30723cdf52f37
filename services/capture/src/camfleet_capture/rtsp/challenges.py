"""Answers to the challenges of an RTSP server: Digest (RFC 2617, RFC 7616) and Basic."""

import hashlib
import re
import secrets
from base64 import b64encode
from collections.abc import Callable, Iterable

from camfleet_contracts.secret_references import Credentials

_FIELD = re.compile(r'(\w+)=(?:"([^"]*)"|([^\s,]*))')
_HASHES = {"": "md5", "MD5": "md5", "SHA-256": "sha256"}


def find_authorization(
    challenges: Iterable[str], credentials: Credentials
) -> Callable[[str, str], str] | None:
    """Return what makes the Authorization header of (method, url): Digest if it is offered."""
    offers = [parse_challenge(text) for text in challenges]
    for kind, fields in offers:
        if kind == "digest" and fields.get("algorithm", "").upper() in _HASHES:
            return _Digest(fields, credentials).answer
    if any(kind == "basic" for kind, _ in offers):
        token = b64encode(":".join(credentials).encode()).decode()
        return lambda _method, _url: f"Basic {token}"
    return None


def parse_challenge(text: str) -> tuple[str, dict[str, str]]:
    """Return the scheme and the fields of a WWW-Authenticate header, names in lower case."""
    kind, _, rest = text.partition(" ")
    fields = {name.lower(): quoted or bare for name, quoted, bare in _FIELD.findall(rest)}
    return kind.lower(), fields


class _Digest:
    def __init__(self, challenge: dict[str, str], credentials: Credentials) -> None:
        self._challenge = challenge
        self._user, self._password = credentials
        self._hash = _HASHES[challenge.get("algorithm", "").upper()]
        self._count = 0

    def answer(self, method: str, url: str) -> str:
        challenge = self._challenge
        realm, nonce = challenge.get("realm", ""), challenge.get("nonce", "")
        first = self._digest(f"{self._user}:{realm}:{self._password}")
        second = self._digest(f"{method}:{url}")
        fields = {"username": self._user, "realm": realm, "nonce": nonce, "uri": url}
        middle, bare = nonce, ""
        if "auth" in challenge.get("qop", "").replace(" ", "").split(","):
            self._count += 1
            fields["cnonce"] = secrets.token_hex(8)
            middle = f"{nonce}:{self._count:08x}:{fields['cnonce']}:auth"
            bare = f", qop=auth, nc={self._count:08x}"
        fields["response"] = self._digest(f"{first}:{middle}:{second}")
        fields |= {name: challenge[name] for name in ("opaque", "algorithm") if name in challenge}
        return "Digest " + ", ".join(f'{name}="{text}"' for name, text in fields.items()) + bare

    def _digest(self, text: str) -> str:
        return hashlib.new(self._hash, text.encode(), usedforsecurity=False).hexdigest()
