"""cameras.yaml: changing it so that nobody's work is lost."""

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from camfleet_contracts.cameras_file import (
    UNFORESEEN,
    BadCameras,
    load,
    parse_cameras,
    read_text,
    unforeseen,
)
from camfleet_contracts.files import locked, write_atomically


class CamerasChanged(BadCameras):
    """Somebody else wrote cameras.yaml while it was being changed; theirs is kept."""


@contextmanager
def edit_cameras(path: Path) -> Iterator[CommentedMap]:
    """Change cameras.yaml under its lock, comments kept; written atomically when it stays valid.

    The file keeps its mode, and a link stays one.

    Raises:
        BadCameras: the file before or after the change cannot be used.
        CamerasChanged: an editor wrote the file meanwhile.
    """
    target = path.resolve()
    with locked(target):
        before = read_text(path) if path.is_file() else None
        text = "version: 1\ncameras: []\n" if before is None else before
        parse_cameras(text, path=path)
        document = load(text, path)
        document = CommentedMap(version=1) if document is None else document
        if document.get("cameras") is None:
            document["cameras"] = []
        try:
            yield document
            after = _dump(document, path)
        except RecursionError as error:
            raise BadCameras(path, unforeseen(error)) from error
        parse_cameras(after, path=path)
        if after != text:
            _replace(path, target, before, after)


def _replace(path: Path, target: Path, before: str | None, after: str) -> None:
    is_there = target.is_file()
    if before != (read_text(target) if is_there else None):
        raise CamerasChanged(path, "was changed meanwhile by somebody else; repeat the change")
    mode = stat.S_IMODE(target.stat().st_mode) if is_there else 0o644
    write_atomically(target, after, mode=mode)


def _dump(document: CommentedMap, path: Path) -> str:
    buffer = StringIO()
    try:
        YAML(typ="rt").dump(document, buffer)
        return buffer.getvalue().encode().decode()
    except UNFORESEEN as error:
        raise BadCameras(path, f"cannot be written: {unforeseen(error)}") from error
