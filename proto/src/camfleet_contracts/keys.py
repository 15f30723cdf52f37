"""The key store of the fleet, `<state>/keys.json`: named keys with roles, login links, sessions.

Keys are stored hashed (scrypt); the file and the services' own secret are readable by their owner
only. Every change happens under the file's lock, so that all services may share one store.
"""

import hashlib
import hmac
import json
import secrets
import time
from pathlib import Path
from typing import Any, Literal, NamedTuple, cast, get_args

from pydantic import SecretStr

from camfleet_contracts.clock import now_utc, rfc3339
from camfleet_contracts.files import locked, write_atomically

Role = Literal["admin", "viewer", "service"]
LOGIN_LIFETIME_S = 900.0
SESSION_LIFETIME_S = 30 * 24 * 3600.0
SEEDED_NAME = "admin"
_PRIVATE = 0o600


class Key(NamedTuple):
    """Who presents a key, and what they may do."""

    name: str
    role: Role
    created: str = ""


class _Content(NamedTuple):
    """What the file held when it had this stamp, and the keys that were checked against it."""

    stamp: tuple[int, int] | None
    document: dict[str, Any]
    verified: dict[str, Key]  # by the digest of what was presented


class KeyStore:
    """Reads `path` again whenever it changed; safe to share between threads and processes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._service_path = path.with_name("service.key")
        self._content = _Content(None, {}, {})

    def ensure(self, seed: SecretStr | None = None) -> None:
        """Create the store and the services' secret once; `seed` becomes the key `admin`."""
        self.fleet_secret()
        with locked(self._path):
            document = self._read()
            if seed is not None and not _matching(document, seed.get_secret_value()):
                kept = [k for k in document["keys"] if k["name"] != SEEDED_NAME]
                entry = _entry(SEEDED_NAME, "admin", seed.get_secret_value())
                self._write(document | {"keys": [*kept, entry]})
            elif not self._path.is_file():
                self._write(document)

    def add(self, name: str, role: str) -> str:
        """Add a key and return its plain text, which is stored nowhere.

        Raises:
            ValueError: the name is taken or the role is unknown.
        """
        if role not in get_args(Role):
            raise ValueError(f"role {role!r}: use one of {', '.join(get_args(Role))}")
        plain = secrets.token_urlsafe(24)
        with locked(self._path):
            document = self._read()
            if any(key["name"] == name for key in document["keys"]):
                raise ValueError(f"key {name!r} is there already; revoke it first")
            entry = _entry(name, cast("Role", role), plain)
            self._write(document | {"keys": [*document["keys"], entry]})
        return plain

    def list(self) -> list[Key]:
        """Return all named keys."""
        return [Key(k["name"], k["role"], k["created"]) for k in self._read()["keys"]]

    def revoke(self, name: str) -> None:
        """Remove a key; sessions made with it end.

        Raises:
            KeyError: there is none of this name.
        """
        with locked(self._path):
            document = self._read()
            kept = [key for key in document["keys"] if key["name"] != name]
            if len(kept) == len(document["keys"]):
                raise KeyError(name)
            self._write(document | {"keys": kept})

    def check(self, presented: str) -> Key | None:
        """Return whose key this is, None when it is nobody's."""
        if hmac.compare_digest(presented.encode(), self.fleet_secret().encode()):
            return Key("service", "service")
        content = self._current()
        digest = _digest(presented)
        if digest not in content.verified and (found := _matching(content.document, presented)):
            content.verified[digest] = found
        return content.verified.get(digest)

    def fleet_secret(self) -> str:
        """Return the secret the services of this fleet use among themselves, made once."""
        if not self._service_path.is_file():
            with locked(self._service_path):
                if not self._service_path.is_file():
                    write_atomically(self._service_path, secrets.token_urlsafe(32), mode=_PRIVATE)
        return self._service_path.read_text().strip()

    def new_login(self, role: Role = "admin", lifetime_s: float = LOGIN_LIFETIME_S) -> str:
        """Return a token that logs in once before it expires."""
        token = secrets.token_urlsafe(24)
        login = {"sha256": _digest(token), "role": role, "expires": time.time() + lifetime_s}
        with locked(self._path):
            document = self._read()
            self._write(document | {"logins": [*_unexpired(document["logins"]), login]})
        return token

    def use_login(self, token: str) -> Key | None:
        """Spend a login token; None when it is unknown, used or expired."""
        with locked(self._path):
            document = self._read()
            logins = _unexpired(document["logins"])
            found = next((entry for entry in logins if entry["sha256"] == _digest(token)), None)
            if found is None:
                return None
            self._write(document | {"logins": [e for e in logins if e is not found]})
        return Key("link", found["role"])

    def new_session(self, key: Key, lifetime_s: float = SESSION_LIFETIME_S) -> str:
        """Return a signed cookie value for `key`."""
        payload = f"{key.name}|{key.role}|{int(time.time() + lifetime_s)}"
        return f"{payload.encode().hex()}.{self._signature(payload)}"

    def check_session(self, cookie: str) -> Key | None:
        """Return who holds this cookie; None when forged, expired, or its key was revoked."""
        encoded, _, signature = cookie.partition(".")
        try:
            payload = bytes.fromhex(encoded).decode()
            name, role, expires = payload.split("|")
        except ValueError:
            return None
        if not hmac.compare_digest(signature.encode(), self._signature(payload).encode()):
            return None
        known = name in {"link", "service"} or any(key.name == name for key in self.list())
        return Key(name, cast("Role", role)) if known and float(expires) > time.time() else None

    def _signature(self, payload: str) -> str:
        return hmac.new(self.fleet_secret().encode(), payload.encode(), "sha256").hexdigest()

    def _read(self) -> dict[str, Any]:
        return self._current().document

    def _current(self) -> "_Content":
        """Return the file's content; swapped whole, so no revoked key stays verified."""
        if not self._path.is_file():
            return _Content(None, {"version": 1, "keys": [], "logins": []}, {})
        stat = self._path.stat()
        content = self._content
        if (stamp := (stat.st_mtime_ns, stat.st_ino)) != content.stamp:
            content = self._content = _Content(stamp, json.loads(self._path.read_text()), {})
        return content

    def _write(self, document: dict[str, Any]) -> None:
        write_atomically(self._path, json.dumps(document, indent=2) + "\n", mode=_PRIVATE)


def _entry(name: str, role: Role, plain: str) -> dict[str, str]:
    salt = secrets.token_bytes(16)
    return {
        "name": name,
        "role": role,
        "created": rfc3339(now_utc()),
        "salt": salt.hex(),
        "scrypt": _scrypt(plain, salt),
    }


def _matching(document: dict[str, Any], presented: str) -> Key | None:
    for key in document["keys"]:
        computed = _scrypt(presented, bytes.fromhex(key["salt"]))
        if hmac.compare_digest(computed, key["scrypt"]):
            return Key(key["name"], key["role"], key["created"])
    return None


def _scrypt(plain: str, salt: bytes) -> str:
    return hashlib.scrypt(plain.encode(), salt=salt, n=2**13, r=8, p=1).hex()


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _unexpired(logins: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [login for login in logins if login["expires"] > time.time()]
