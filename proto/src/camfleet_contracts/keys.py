"""The key store of the fleet, `<state>/keys.json`: named keys with roles, login links, sessions.

Keys are stored hashed: those made here as SHA-256, as nobody guesses 192 random bits; the seeded
one (and all of older files) as scrypt, as people choose it. The file and the secrets beside it are
readable by their owner only. Every change happens under the file's lock, so that all services may
share one store. Sessions are signed with `<state>/session.key`, which never leaves this state
folder: deleting that file ends all sessions.
"""

import hmac
import json
import logging
import secrets
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple, Self, cast, get_args

from pydantic import SecretStr

from camfleet_contracts.files import locked, needing, write_atomically
from camfleet_contracts.key_entries import (
    BadKeyFile,
    Entry,
    Role,
    chosen_entry,
    digest_of,
    find_entry,
    find_generated,
    generated_entry,
    is_slow,
    mark_of,
    read_key_file,
)
from camfleet_contracts.secret_files import PRIVATE, keep_secret, made_once
from camfleet_contracts.wrong_keys import WrongKeys

logger = logging.getLogger(__name__)

LOGIN_LIFETIME_S = 900.0
SESSION_LIFETIME_S = 30 * 24 * 3600.0
SEEDED_NAME = "admin"
_LOGIN_NAME = "link"
_SERVICE_NAME = "service"
_WITHOUT_ENTRY = frozenset({_LOGIN_NAME, _SERVICE_NAME})
_LARGEST_REFUSED = 256
_LARGEST_WAITING = 8  # checks that compute scrypt, one after the other
_LONGEST_NAME = 64


class TooManyChecks(Exception):
    """So many unknown keys are being checked that this one is not; ask again."""

    def __init__(self) -> None:
        super().__init__("too many wrong keys are being presented; try again in a second")


class Key(NamedTuple):
    """Who presents a key, and what they may do."""

    name: str
    role: Role
    created: str = ""


class _Content(NamedTuple):
    """What the file held when it had this stamp, and what was checked against it."""

    stamp: tuple[int, int] | None
    document: dict[str, Any]
    verified: dict[str, Entry]  # by scrypt, under the digest of what was presented
    refused: set[str]  # digests of wrong keys, so that repeating one costs no scrypt


class KeyStore:
    """Reads `path` again whenever it changed; safe to share between threads and processes.

    Where the file was read once and is damaged later, what it held before counts on.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.wrong = WrongKeys()
        self._service_path = path.with_name("service.key")
        self._session_path = path.with_name("session.key")
        self._content = _Content(None, {}, {}, set())
        self._waiting = threading.BoundedSemaphore(_LARGEST_WAITING)
        self._checker = ThreadPoolExecutor(1, thread_name_prefix="key-check")

    def __deepcopy__(self, _: object) -> Self:
        """Another reader of the same file; Jupyter copies its configuration."""
        return type(self)(self._path)

    def ensure(self, seed: SecretStr | None = None, shared: SecretStr | None = None) -> None:
        """Create the store and the secrets once.

        Args:
            seed: becomes the key `admin`.
            shared: becomes the fleet's secret, on every box of a fleet that has several.

        Raises:
            FolderNotWritable: the state folder cannot be written.
            BadKeyFile: keys.json is damaged.
        """
        with needing(self._path.parent):
            if shared is not None:
                keep_secret(self._service_path, shared.get_secret_value().strip())
            self.fleet_secret()
            made_once(self._session_path)
        with locked(self._path):
            document = self._read()
            if seed is not None and not find_entry(document["keys"], seed.get_secret_value()):
                kept = [k for k in document["keys"] if k["name"] != SEEDED_NAME]
                entry = chosen_entry(SEEDED_NAME, "admin", seed.get_secret_value())
                self._write(document | {"keys": [*kept, entry]})
            elif not self._path.is_file():
                self._write(document)

    def add(self, name: str, role: str) -> str:
        """Add a key and return its plain text, which is stored nowhere.

        Raises:
            ValueError: the name is taken, reserved, blank, too long or unprintable, or the role is
                unknown.
        """
        if name in _WITHOUT_ENTRY:
            raise ValueError(f"key name {name!r} is reserved; use another one")
        if not name.strip() or len(name) > _LONGEST_NAME:
            raise ValueError(f"key name {name!r}: use 1 to {_LONGEST_NAME} characters")
        if "|" in name or not name.isprintable():
            raise ValueError(f"key name {name!r}: '|' and control characters are not allowed")
        if role not in get_args(Role):
            raise ValueError(f"role {role!r}: use one of {', '.join(get_args(Role))}")
        plain = secrets.token_urlsafe(24)
        with locked(self._path):
            document = self._read()
            if any(key["name"] == name for key in document["keys"]):
                raise ValueError(f"key {name!r} is there already; revoke it first")
            entry = generated_entry(name, cast("Role", role), plain)
            self._write(document | {"keys": [*document["keys"], entry]})
        return plain

    def list(self) -> list[Key]:
        """Return all named keys."""
        return [_key(entry) for entry in self._read()["keys"]]

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
        """Return whose key this is, None when it is nobody's; may compute for long."""
        is_decided, key = self._look_up(presented)
        return key if is_decided else self._compute(presented)

    def start_check(self, presented: str) -> Future[Key | None]:
        """Begin a check that holds up nobody: done at once, or later in a thread of its own.

        Raises:
            TooManyChecks: others wait already.
        """
        is_decided, key = self._look_up(presented)
        if is_decided:
            decided: Future[Key | None] = Future()
            decided.set_result(key)
            return decided
        if not self._waiting.acquire(blocking=False):
            raise TooManyChecks
        check = self._checker.submit(self._compute, presented)
        check.add_done_callback(lambda _: self._waiting.release())
        return check

    def _look_up(self, presented: str) -> tuple[bool, Key | None]:
        """Return whether it is decided without scrypt, and whose key it is then."""
        if not presented:
            return True, None
        if hmac.compare_digest(presented.encode(), self.fleet_secret().encode()):
            return True, Key(_SERVICE_NAME, "service")
        content = self._current()
        digest = digest_of(presented)
        entry = content.verified.get(digest) or find_generated(content.document["keys"], digest)
        has_slow = any(map(is_slow, content.document["keys"]))
        is_decided = entry is not None or digest in content.refused or not has_slow
        return is_decided, _key(entry) if entry else None

    def _compute(self, presented: str) -> Key | None:
        content = self._current()
        digest = digest_of(presented)
        if digest in content.refused:
            return None
        if found := content.verified.get(digest) or find_entry(content.document["keys"], presented):
            content.verified[digest] = found
            return _key(found)
        if len(content.refused) >= _LARGEST_REFUSED:
            content.refused.clear()
        content.refused.add(digest)
        return None

    def fleet_secret(self) -> str:
        """Return the secret the services of this fleet use among themselves, made once."""
        return made_once(self._service_path)

    def new_login(self, role: Role = "admin", lifetime_s: float = LOGIN_LIFETIME_S) -> str:
        """Return a token that logs in once before it expires."""
        token = secrets.token_urlsafe(24)
        login = {"sha256": digest_of(token), "role": role, "expires": time.time() + lifetime_s}
        with locked(self._path):
            document = self._read()
            self._write(document | {"logins": [*_unexpired(document["logins"]), login]})
        return token

    def use_login(self, token: str) -> Key | None:
        """Spend a login token; None when it is unknown, used or expired."""
        with locked(self._path):
            document = self._read()
            logins = _unexpired(document["logins"])
            found = next((entry for entry in logins if entry["sha256"] == digest_of(token)), None)
            if found is None:
                return None
            self._write(document | {"logins": [e for e in logins if e is not found]})
        return Key(_LOGIN_NAME, found["role"])

    def new_session(self, key: Key, lifetime_s: float = SESSION_LIFETIME_S) -> str:
        """Return a signed cookie value for `key`."""
        mark = mark_of(self._entry_of(key.name))
        payload = f"{key.name}|{key.role}|{mark}|{int(time.time() + lifetime_s)}"
        return f"{payload.encode().hex()}.{self._signature(payload)}"

    def check_session(self, cookie: str) -> Key | None:
        """Return who holds this cookie; None when forged, expired, or its key was revoked.

        The role is the one that the store has now. Deleting `session.key` ends every session.
        """
        encoded, _, signature = cookie.partition(".")
        try:
            payload = bytes.fromhex(encoded).decode()
            name, role, mark, expires = payload.split("|")
        except ValueError:
            return None
        if not hmac.compare_digest(signature.encode(), self._signature(payload).encode()):
            return None
        if float(expires) <= time.time():
            return None
        if name in _WITHOUT_ENTRY:
            return Key(name, cast("Role", role))
        entry = self._entry_of(name)
        return Key(name, entry["role"]) if entry and mark_of(entry) == mark else None

    def _signature(self, payload: str) -> str:
        secret = made_once(self._session_path)
        return hmac.new(secret.encode(), payload.encode(), "sha256").hexdigest()

    def _entry_of(self, name: str) -> Entry | None:
        return next((key for key in self._read()["keys"] if key["name"] == name), None)

    def _read(self) -> dict[str, Any]:
        return self._current().document

    def _current(self) -> "_Content":
        """Return the file's content; swapped whole, so no revoked key stays verified."""
        if not self._path.is_file():
            return _Content(None, {"version": 1, "keys": [], "logins": []}, {}, set())
        stat = self._path.stat()
        content = self._content
        if (stamp := (stat.st_mtime_ns, stat.st_ino)) != content.stamp:
            content = self._content = self._content_at(stamp)
        return content

    def _content_at(self, stamp: tuple[int, int]) -> "_Content":
        try:
            return _Content(stamp, read_key_file(self._path), {}, set())
        except BadKeyFile as error:
            if self._content.stamp is None:
                raise
            logger.error("keys of before go on reason=%s", error)  # noqa: TRY400 - one line
            return self._content._replace(stamp=stamp)

    def _write(self, document: dict[str, Any]) -> None:
        write_atomically(self._path, json.dumps(document, indent=2) + "\n", mode=PRIVATE)


def _key(entry: Entry) -> Key:
    return Key(entry["name"], entry["role"], entry["created"])


def _unexpired(logins: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [login for login in logins if login["expires"] > time.time()]
