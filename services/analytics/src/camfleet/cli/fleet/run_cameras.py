"""The cameras file of `camfleet up --cameras "SRC SRC ..."`."""

import hashlib
import json
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from camfleet.camera_logins import without_login
from camfleet.cli.console import note
from camfleet.cli.errors import CommandError
from camfleet_contracts.cameras import source_kind
from camfleet_contracts.cameras_file import BadCameras, parse_cameras
from camfleet_contracts.files import write_atomically
from camfleet_contracts.redaction import redact
from camfleet_contracts.stream_urls import fault_of_url

FILE_NAME = "cameras.run.yaml"
_FPS = 10
_NAME_LENGTH = 32
_HEAD = """\
# camfleet up --cameras {mark}
# Changes apply while the fleet runs; the next run with the same sources keeps this file.
# Count on a line:   lines: [{{name: gate, from: [0, 0.6], to: [1, 0.6]}}]   in a camera's pipeline
version: 1
defaults: {{model: {model}, fps: {fps}, confidence: 0.5}}
cameras:
"""


def write_run_cameras(path: Path, sources: Sequence[str], model: str, state_dir: Path) -> None:
    """Write the file for these sources, unless it is for them already (then edits in it stay).

    One for other sources is put aside. Logins in addresses go into files of the state folder.

    Raises:
        CommandError: a source is no source.
    """
    wanted = [absolute_source(source) for source in sources]
    mark = hashlib.sha256(json.dumps([wanted, model]).encode()).hexdigest()[:16]
    if path.is_file() and path.read_text().startswith(f"# camfleet up --cameras {mark}\n"):
        return
    named = zip(_names_of(wanted), wanted, strict=True)
    entries = [without_login({"name": name, "source": at}, state_dir) for name, at in named]
    text = _HEAD.format(mark=mark, model=model, fps=_FPS) + "".join(map(_entry_lines, entries))
    try:
        parse_cameras(text, path=path)
    except BadCameras as error:
        raise CommandError(f"--cameras: {error.reason}; give devices, URLs or files") from error
    _put_aside(path)
    write_atomically(path, text)


def _put_aside(path: Path) -> None:
    """Keep what was drawn and set for other sources."""
    if path.is_file():
        aside = path.with_suffix(".before.yaml")
        path.replace(aside)
        note(f"{path.name} was for other sources; it is kept as {aside}, with what you set there")


def split_sources(text: str) -> tuple[str, ...]:
    """Sources are separated by spaces, and quoted where one has a space itself, as in a shell.

    Raises:
        CommandError: a quotation mark has no partner.
    """
    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        raise CommandError(f"--cameras {text}: {str(error).lower()}") from error


def absolute_source(source: str) -> str:
    """The source with a file's path made absolute, so that it does not depend on the folder.

    Raises:
        CommandError: it looks like a file that is not there, or is no right address.
    """
    if fault := fault_of_url(source):
        raise CommandError(f"source {redact(source)}: {fault}")
    if "://" in source or source_kind(source) not in {"file", "folder"}:
        return source
    path = Path(source).expanduser().resolve()
    if not path.exists():
        raise CommandError(
            f"source '{source}': no such file or folder; use a path, /dev/video0, rtsp://..., "
            "http://... or demo:street"
        )
    return str(path)


def camera_name(source: str) -> str:
    """A name in [a-z0-9-] that tells the source: file stem, host, device or scene."""
    parts = urlsplit(source)
    if parts.hostname:
        text = f"{parts.hostname}-{parts.path.rsplit('/', 1)[-1]}"
    elif parts.scheme == "demo":
        text = parts.path
    else:
        text = Path(source).stem
    slug = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    return slug[:_NAME_LENGTH].strip("-") or "camera"


def _names_of(sources: Sequence[str]) -> list[str]:
    names: list[str] = []
    for source in sources:
        base = name = camera_name(source)
        number = 2
        while name in names:
            name = f"{base[: _NAME_LENGTH - 3]}-{number}"
            number += 1
        names.append(name)
    return names


def _entry_lines(entry: Mapping[str, str]) -> str:
    """The name as it is, other values quoted."""
    others = "".join(f"    {k}: {_quoted(v)}\n" for k, v in entry.items() if k != "name")
    return f"  - name: {entry['name']}\n{others}"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
