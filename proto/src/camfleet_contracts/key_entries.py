"""Entries of keys.json: hashed keys, and which of them is the one that somebody presents.

Keys that were made here are stored as SHA-256, as nobody guesses 192 random bits; those that people
chose as scrypt, which takes long to compute.
"""

import hashlib
import hmac
import json
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

from camfleet_contracts.clock import now_utc, rfc3339

Role = Literal["admin", "viewer", "service"]
Entry = dict[str, Any]
_FIELDS = {"name", "role", "created"}


class BadKeyFile(OSError):
    """keys.json is damaged."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} is damaged; bring it back from a backup, or delete it: a new one is made, and "
            "`camfleet key add` gives clients new keys"
        )


def read_key_file(path: Path) -> dict[str, Any]:
    """Return the document of keys.json.

    Raises:
        BadKeyFile: it is none.
    """
    try:
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        is_whole = "logins" in document and all(key.keys() >= _FIELDS for key in document["keys"])
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BadKeyFile(path) from error
    if not is_whole:
        raise BadKeyFile(path)
    return document


def generated_entry(name: str, role: Role, plain: str) -> Entry:
    """Return the entry of a key that was made here."""
    return _named(name, role) | {"sha256": digest_of(plain)}


def chosen_entry(name: str, role: Role, plain: str) -> Entry:
    """Return the entry of a key that somebody chose; computes for long."""
    salt = secrets.token_bytes(16)
    return _named(name, role) | {"salt": salt.hex(), "scrypt": _scrypt(plain, salt)}


def find_entry(entries: Iterable[Entry], presented: str) -> Entry | None:
    """Return whose key this is; computes for long where an entry is slow."""
    entries = [*entries]
    for entry in filter(is_slow, entries):
        computed = _scrypt(presented, bytes.fromhex(entry["salt"]))
        if hmac.compare_digest(computed, entry["scrypt"]):
            return entry
    return find_generated(entries, digest_of(presented))


def find_generated(entries: Iterable[Entry], digest: str) -> Entry | None:
    """Return whose digest this is, among the keys that were made here."""
    found = (entry for entry in entries if hmac.compare_digest(entry.get("sha256", ""), digest))
    return next(found, None)


def is_slow(entry: Entry) -> bool:
    """Tell whether comparing with this entry computes for long."""
    return "scrypt" in entry


def mark_of(entry: Entry | None) -> str:
    """Return what ties a session to this very key, not to the next one of its name."""
    if entry is None:
        return ""
    return digest_of(entry.get("sha256") or entry["salt"] + entry["scrypt"])[:16]


def digest_of(token: str) -> str:
    """Return the SHA-256 of a text as hexadecimal digits."""
    return hashlib.sha256(token.encode()).hexdigest()


def _named(name: str, role: Role) -> Entry:
    return {"name": name, "role": role, "created": rfc3339(now_utc())}


def _scrypt(plain: str, salt: bytes) -> str:
    return hashlib.scrypt(plain.encode(), salt=salt, n=2**13, r=8, p=1).hex()
