"""The user and password of a camera: in a file of the state folder, never in cameras.yaml."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from camfleet_contracts.cameras import Camera
from camfleet_contracts.files import write_atomically
from camfleet_contracts.redaction import is_redacted
from camfleet_contracts.secret_files import PRIVATE
from camfleet_contracts.secret_references import Credentials

_FOLDER = "secrets"  # in the state folder, which capture and analytics share
_LONGEST = 256

logger = logging.getLogger(__name__)


def is_usable(user: object, password: object) -> bool:
    """Whether a file can hold them: a line each, no space around it, no colon in the user."""
    return _is_line(user) and _is_line(password) and ":" not in str(user)


def keep_login(state_dir: Path, camera: str, login: Credentials) -> Path:
    """Write them into a file that only the fleet reads.

    Raises:
        OSError: the file cannot be written.
    """
    path = _file_of(state_dir, camera)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_atomically(path, "{}:{}\n".format(*login), mode=PRIVATE)
    return path


def forget_login(state_dir: Path, camera: Camera, cameras_file: Path) -> None:
    """Delete the file that a camera as it was named, unless cameras.yaml still names it."""
    path = _file_of(state_dir, camera.name)
    try:
        is_own = camera.credentials == reference_to(path)
        if is_own and reference_to(path) not in cameras_file.read_text("utf-8"):
            path.unlink(missing_ok=True)
    except OSError as error:
        logger.warning("login not deleted file=%s reason=%s", path, error.strerror)


def reference_to(path: Path) -> str:
    """What `credentials` of cameras.yaml says in place of a login."""
    return f"${{file:{path}}}"


def taken_apart(source: str) -> tuple[str, Credentials | None]:
    """An address without the login in it, and the login; None where there is no usable one."""
    parts = urlsplit(source) if "://" in source else None
    if parts is None or parts.username is None or parts.password is None:
        return source, None
    login = unquote(parts.username), unquote(parts.password)
    if not is_usable(*login):
        return source, None
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])), login


def without_login(
    entry: Mapping[str, Any], state_dir: Path, before: Camera | None = None
) -> dict[str, Any]:
    """An entry of cameras.yaml whose sources have no login: it is kept in the camera's file.

    One that names its `credentials` is left as it is, and so is one with two logins, which then has
    no `credentials`, as these hold for both sources. `before` is the camera that the entry changes.
    Raises OSError: the file cannot be written.
    """
    source, login = taken_apart(str(entry.get("source")))
    if login is None or entry.get("credentials"):
        return dict(entry)
    detect_source, other = taken_apart(_detect_source_of(entry, before))
    if other not in {None, login}:
        had = before is not None and before.credentials is not None
        return {**entry, "credentials": None} if had else dict(entry)
    kept = keep_login(state_dir, str(entry["name"]), login)
    changed = {**entry, "source": source, "credentials": reference_to(kept)}
    is_given = other is not None and "detect_source" in entry
    return changed | ({"detect_source": detect_source} if is_given else {})


def _detect_source_of(entry: Mapping[str, Any], before: Camera | None) -> str:
    """As it will be: one that is not given, or given as it was shown, stays."""
    given = str(entry.get("detect_source"))
    stays = "detect_source" not in entry or is_redacted(given)
    is_in_force = before is not None and before.credentials is None  # the login in it, if any
    return str(before.detect_source) if before and is_in_force and stays else given


def _file_of(state_dir: Path, camera: str) -> Path:
    return (state_dir / _FOLDER / camera).absolute()


def _is_line(text: object) -> bool:
    if not isinstance(text, str):
        return False
    return 0 < len(text) <= _LONGEST and text.isprintable() and text == text.strip()
