"""The text of cameras.yaml, of which a change of one camera touches that camera's lines only."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

_LONGEST_LINE = 100_000  # lines are broken where a person broke them


@dataclass(frozen=True, slots=True)
class _Entry:
    """One camera: its own lines, and the comments and empty lines up to the next one."""

    content: str
    after: str


@dataclass(frozen=True, slots=True)
class CamerasText:
    """A text whose cameras are a list with a line of its own for each.

    Attributes:
        head: all before the first camera.
        tail: all from the key after `cameras` on.
    """

    head: str
    entries: tuple[_Entry, ...]
    tail: str

    def bare(self) -> str:
        """Return the text without the comments between cameras, which no change may move."""
        return self.head + "".join(entry.content for entry in self.entries) + self.tail

    def with_cameras(self, before: CommentedMap, after: CommentedMap, *, anew: bool) -> str:
        """Return the text with the cameras of `after`; `before` is what `bare` holds.

        Those that changed are written anew, or all of them.
        """
        old = {camera["name"]: camera for camera in before["cameras"]}
        wanted = {camera["name"]: camera for camera in after["cameras"]}
        written = []
        for entry, (name, camera) in zip(self.entries, old.items(), strict=True):
            content = ""
            if name in wanted:
                is_same = not anew and wanted[name] == camera
                content = entry.content if is_same else _written(wanted[name], before)
            written.append((content, entry.after))
        added = "".join(_written(wanted[name], before) for name in wanted if name not in old)
        last, rest = written.pop()
        return self.head + "".join(map("".join, written)) + last + added + rest + self.tail


def split_head(text: str) -> tuple[str, str]:
    """Take off what no document holds: comments up to `---`, or those of a text of nothing else."""
    lines = text.splitlines(keepends=True)
    start = _first_of_content(lines)
    if start < len(lines) and not _is_begin(lines[start]):
        return "", text
    if _first_of_content(lines[start + 1 :]) == len(lines[start + 1 :]):
        return text if text.endswith("\n") or not text else text + "\n", ""
    return "".join(lines[: start + 1]), "".join(lines[start + 1 :])


def _first_of_content(lines: list[str]) -> int:
    return next((n for n, line in enumerate(lines) if not _is_comment(line)), len(lines))


def _is_begin(line: str) -> bool:
    return line.partition(" #")[0].rstrip() == "---"


def _is_comment(line: str) -> bool:
    return line.lstrip()[:1] in {"", "#"}


def split_cameras(text: str, document: CommentedMap) -> CamerasText | None:
    """Take a text apart; None where its cameras are written in another way."""
    cameras = document.get("cameras")
    if not isinstance(cameras, CommentedSeq) or not cameras or cameras.fa.flow_style():
        return None
    lines = text.splitlines(keepends=True)
    starts = [cameras.lc.data[number][0] for number in range(len(cameras))]
    if not all(lines[start].lstrip().startswith("-") for start in starts):
        return None
    keys = [line for line, *_ in document.lc.data.values() if line > starts[-1]]
    end = min(keys, default=len(lines))
    ends = [*starts[1:], end]
    entries = tuple(_split(lines[a:b]) for a, b in zip(starts, ends, strict=True))
    return CamerasText("".join(lines[: starts[0]]), entries, "".join(lines[end:]))


def _split(lines: list[str]) -> _Entry:
    count = len(lines)
    while _is_comment(lines[count - 1]):
        count -= 1
    content = "".join(lines[:count])
    return _Entry(content if content.endswith("\n") else content + "\n", "".join(lines[count:]))


def dump_like(document: Any, model: CommentedMap) -> str:
    """Return a document as text, indented and quoted as `model` is.

    Raises:
        YAMLError, ValueError, TypeError: it holds what YAML cannot say.
    """
    buffer = StringIO()
    yaml = YAML(typ="rt")
    yaml.preserve_quotes, yaml.width = True, _LONGEST_LINE
    offset, dash = _list_indent(model)
    yaml.indent(mapping=_mapping_indent(model), sequence=offset + dash, offset=offset)
    yaml.dump(document, buffer)
    return buffer.getvalue().encode().decode()


def _written(camera: Mapping[str, Any], model: CommentedMap) -> str:
    """Return the lines of one camera, as an entry of the list."""
    alone = CommentedSeq([camera])
    return dump_like(CommentedMap(cameras=alone), model).partition("\n")[2]


def _list_indent(model: CommentedMap) -> tuple[int, int]:
    """Return how far a list's dashes are from its key, and its values from the dashes."""
    cameras = model.get("cameras")
    if not isinstance(cameras, CommentedSeq) or not cameras or cameras.fa.flow_style():
        return 2, 2
    column = model.lc.value("cameras")[1]
    return column, cameras.lc.data[0][1] - column


def _mapping_indent(model: CommentedMap) -> int:
    """Return how far the keys of a mapping are from the key it belongs to."""
    return next(_steps(model), 2)


def _steps(value: Any) -> Iterator[int]:
    if isinstance(value, CommentedMap) and not value.fa.flow_style():
        for inner in value.values():
            if isinstance(inner, CommentedMap) and inner and not inner.fa.flow_style():
                yield _column(inner) - _column(value)
            yield from _steps(inner)
    elif isinstance(value, CommentedSeq):
        for inner in value:
            yield from _steps(inner)


def _column(value: CommentedMap) -> int:
    """Return where its keys begin; an anchor before them stands elsewhere."""
    _, column, *_ = next(iter(value.lc.data.values()))
    return int(column)
