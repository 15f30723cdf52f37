"""cameras.yaml: changing it so that nobody's work is lost."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
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
from camfleet_contracts.cameras_text import CamerasText, dump_like, split_cameras, split_head
from camfleet_contracts.files import locked, write_over


class CamerasChanged(BadCameras):
    """Somebody else wrote cameras.yaml while it was being changed; theirs is kept."""


@contextmanager
def edit_cameras(path: Path) -> Iterator[CommentedMap]:
    """Change cameras.yaml under its lock; written atomically when it stays valid.

    Lines of cameras that were not changed stay as they are, and so do comments, mode and ends of
    lines; a link stays one.

    Raises:
        BadCameras: the file before or after the change cannot be used.
        CamerasChanged: an editor wrote the file meanwhile.
    """
    target = path.resolve()
    with locked(target):
        before = read_text(path) if path.is_file() else None
        text = "version: 1\ncameras: []\n" if before is None else before
        parse_cameras(text, path=path)
        head, body = split_head(text)
        whole = _document_of(body, path)
        parts = split_cameras(body, whole)
        editable = parts.bare() if parts else body
        document = _document_of(editable, path)
        try:
            yield document
            original = _document_of(editable, path)
            after = head + (_spliced(parts, original, document) or _dump(document, whole, path))
        except RecursionError as error:
            raise BadCameras(path, unforeseen(error)) from error
        parse_cameras(after, path=path)
        if after != text:
            _replace(path, target, before, after)


def _document_of(text: str, path: Path) -> CommentedMap:
    document = load(text, path, keeps_quotes=True)
    document = CommentedMap(version=1) if document is None else document
    if document.get("cameras") is None:
        document["cameras"] = []
    return document


def _replace(path: Path, target: Path, before: str | None, after: str) -> None:
    is_there = target.is_file()
    if before != (read_text(target) if is_there else None):
        raise CamerasChanged(path, "was changed meanwhile by somebody else; repeat the change")
    if is_there and b"\r\n" in target.read_bytes():
        after = after.replace("\n", "\r\n")
    write_over(target, after)


def _spliced(
    parts: CamerasText | None, original: CommentedMap, document: CommentedMap
) -> str | None:
    """The text with the changed cameras only written anew, where that says the same.

    Where cameras share parts (`&`, `*`), all are written anew, each with its own.
    """
    if parts is None:
        return None
    for anew in (False, True):
        with suppress(*UNFORESEEN):
            text = parts.with_cameras(original, document, anew=anew)
            if YAML(typ="rt").load(text) == document:
                return text
    return None


def _dump(document: CommentedMap, model: CommentedMap, path: Path) -> str:
    try:
        return dump_like(document, model)
    except UNFORESEEN as error:
        raise BadCameras(path, f"cannot be written: {unforeseen(error)}") from error
