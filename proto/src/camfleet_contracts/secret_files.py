"""Secrets in files of their own that only their owner reads."""

import secrets
from pathlib import Path

from camfleet_contracts.files import locked, write_atomically

PRIVATE = 0o600


def made_once(path: Path) -> str:
    """Return the secret in `path`, made once among all processes; an empty file holds none."""
    if secret := _read(path):
        return secret
    with locked(path):
        if not _read(path):
            write_atomically(path, secrets.token_urlsafe(32), mode=PRIVATE)
    return _read(path)


def keep_secret(path: Path, secret: str) -> None:
    """Make this the secret in `path`."""
    with locked(path):
        if _read(path) != secret:
            write_atomically(path, secret, mode=PRIVATE)


def _read(path: Path) -> str:
    return path.read_text().strip() if path.is_file() else ""
