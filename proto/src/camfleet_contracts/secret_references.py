"""Secrets that cameras.yaml only refers to, as ${env:NAME} or ${file:PATH}."""

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

Credentials = tuple[str, str]  # user, password

_REFERENCE = re.compile(r"\$\{(env|file):([^}]+)\}")


def checked_reference(text: str | None) -> str | None:
    """The text as it is. Raises ValueError for one that is no reference; never holds the text."""
    if text is not None and not _REFERENCE.fullmatch(text):
        raise ValueError("must be ${env:NAME} or ${file:PATH}, never the secret itself")
    return text


def resolve_secret(text: str | None, env: Mapping[str, str]) -> str | None:
    """Return what `${env:NAME}` or `${file:PATH}` refers to; None when `text` is None.

    Raises:
        ValueError: it is not there. Never holds the secret.
    """
    if text is None or not (match := _REFERENCE.fullmatch(text)):
        return None
    kind, name = match.groups()
    try:
        value = env[name] if kind == "env" else Path(name).read_text("utf-8").strip()
    except (KeyError, OSError) as error:
        raise ValueError(f"{text} is not there") from error
    except UnicodeDecodeError:
        raise ValueError(f"{text} is not text") from None
    if not value:
        raise ValueError(f"{text} is empty")
    return value


def resolve_credentials(text: str | None, env: Mapping[str, str]) -> Credentials | None:
    """Return the user and password that a reference stands for; None when `text` is None.

    Raises:
        ValueError: what it refers to is missing or is not `user:password`. Never holds the secret.
    """
    try:
        secret = resolve_secret(text, env)
    except ValueError as error:
        raise ValueError(f"credentials: {error}") from error
    if secret is None:
        return None
    user, colon, password = secret.partition(":")
    if not colon:
        raise ValueError(f"credentials: {text} must hold user:password")
    return user, password


def with_login(address: str, credentials: Credentials) -> str:
    """The address with this user and password in it, quoted, in place of those it may have."""
    user, password = (quote(part, safe="") for part in credentials)
    parts = urlsplit(address)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{user}:{password}@{host}"))
