"""Secrets in files of their own that only their owner reads."""

import secrets
from pathlib import Path

from camfleet_contracts.files import locked, write_atomically

PRIVATE = 0o600


def made_once(path: Path) -> str:
    """Return the secret in `path`, made once among all processes."""
    if not path.is_file():
        with locked(path):
            if not path.is_file():
                write_atomically(path, secrets.token_urlsafe(32), mode=PRIVATE)
    return path.read_text().strip()


def keep_secret(path: Path, secret: str) -> None:
    """Make this the secret in `path`."""
    with locked(path):
        if not path.is_file() or path.read_text().strip() != secret:
            write_atomically(path, secret, mode=PRIVATE)
