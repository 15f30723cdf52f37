"""The texts config.json had before its last changes: `.history/config-<n>.json` beside it.

A change that was withdrawn leaves `.history/withdrawn-<n>.json`, what it had written, for as many
changes: the number is not given again, and who read that text meanwhile knows where it went.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from camfleet_contracts.files import locked, write_atomically, write_over
from camfleet_contracts.serving_config.model import BadServingConfig
from camfleet_contracts.serving_config.parsing import entry_name, load_document

HISTORY_LENGTH = 20
FOLDER = ".history"
_KEPT = re.compile(r"config-(\d{1,9})\.json")
_WITHDRAWN = re.compile(r"withdrawn-(\d{1,9})\.json")


class NoSuchChange(Exception):
    """There is no change of this number to take back."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change of config.json: when, and which models it concerned."""

    number: int
    time: datetime
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()  # top-level keys other than the list of models
    is_readable: bool = True  # False: the text before or after it is no config

    @property
    def is_empty(self) -> bool:
        """Tell whether it changed nothing but the text's form."""
        return self.is_readable and not (
            self.added or self.removed or self.changed or self.settings
        )

    def facts(self) -> dict[str, object]:
        """Return it as the commands and the page show it in JSON."""
        return {
            "number": self.number,
            "time": self.time.isoformat(),
            "added": self.added,
            "removed": self.removed,
            "changed": self.changed,
            "settings": self.settings,
            "readable": self.is_readable,
        }


def keep_in_history(path: Path, text: str) -> None:
    """Note the text before a change; the caller holds the lock of `path`."""
    kept, withdrawn = _kept(path), _withdrawn(path)
    number = max(kept.keys() | withdrawn.keys(), default=0) + 1
    write_atomically(path.parent / FOLDER / f"config-{number}.json", text)
    for old in sorted(kept)[: max(0, len(kept) + 1 - HISTORY_LENGTH)]:
        kept[old].unlink(missing_ok=True)
    for old in withdrawn.keys() - range(number - HISTORY_LENGTH, number):
        withdrawn[old].unlink(missing_ok=True)


def newest_change(path: Path) -> int:
    """Return the number of the last change the history knows; 0 when there is none."""
    try:
        return max(_kept(path), default=0)
    except OSError:  # what cannot be read is not written either
        return 0


def keep_if_unknown(path: Path, text: str, *, after: int = 0) -> bool:
    """Note the text before a change that was made by hand; False when the history has it.

    It has it only among the changes `after` that number: the same text may have been there before.

    Raises:
        OSError: the folder cannot be written, or somebody changes config.json right now.
    """
    with locked(path, wait=False):
        newer = [file for number, file in _kept(path).items() if number > after]
        newer += [file for number, file in _withdrawn(path).items() if number >= after]
        if any(_text(file) == text for file in newer):
            return False
        keep_in_history(path, text)
    return True


def changes_of(path: Path) -> tuple[Change, ...]:
    """Return the changes the history knows, newest first."""
    kept = _kept(path)
    numbers = sorted(kept)
    files = [*(kept[number] for number in numbers), path]
    steps = zip(numbers, pairwise(files), strict=True)
    return tuple(_change(number, before, after) for number, (before, after) in steps)[::-1]


def roll_back(path: Path, number: int | None = None) -> Change | None:
    """Give config.json the text it had before a change (None: the last one); itself a change.

    Returns the change that was taken back; None when the text is that one already.

    Raises:
        NoSuchChange: the history has no change of that number, or none at all.
        BadServingConfig: the text kept there is no config.
    """
    with locked(path):
        kept = _kept(path)
        if not kept:
            raise NoSuchChange(f"{path} has no history yet; commands that change it make one")
        wanted = max(kept) if number is None else number
        if wanted not in kept:
            raise NoSuchChange(
                f"there is no change {wanted}; the history has {min(kept)} to {max(kept)}"
            )
        taken_back = next(change for change in changes_of(path) if change.number == wanted)
        text, current = _text(kept[wanted]), _text(path)
        load_document(text, kept[wanted])
        if text == current:
            return None
        keep_in_history(path, current)
        write_over(path, text)
    return taken_back


def withdraw_change(path: Path, name: str, before: Mapping[str, Any] | None) -> bool:
    """Undo the last change as if it had never been made.

    False where it is not the one that gave this model its entry in place of `before` (None: of no
    entry) and did nothing else; nothing is done then.
    """
    with locked(path):
        kept = _kept(path)
        if not kept:
            return False
        number, last = max(kept), changes_of(path)[0]
        concerned = (*last.added, *last.changed, *last.removed, *last.settings)
        text, withdrawn = _text(kept[number]), _text(path)
        if concerned != (name,) or _entry_of(text, kept[number], name) != before:
            return False
        write_over(path, text)
        write_atomically(path.parent / FOLDER / f"withdrawn-{number}.json", withdrawn)
        kept[number].unlink()
    return True


def _entry_of(text: str, path: Path, name: str) -> Any:
    entries = load_document(text, path)["model_config_list"]
    return next((entry["config"] for entry in entries if entry_name(entry) == name), None)


def _kept(path: Path) -> dict[int, Path]:
    return _numbered(path, _KEPT)


def _withdrawn(path: Path) -> dict[int, Path]:
    return _numbered(path, _WITHDRAWN)


def _numbered(path: Path, pattern: re.Pattern[str]) -> dict[int, Path]:
    folder = path.parent / FOLDER
    files = folder.iterdir() if folder.is_dir() else ()
    found = ((pattern.fullmatch(file.name), file) for file in files)
    return {int(match[1]): file for match, file in found if match}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig", errors="replace")
    except FileNotFoundError:
        return ""


def _change(number: int, before: Path, after: Path) -> Change:
    time = datetime.fromtimestamp(before.stat().st_mtime, UTC)
    try:
        old, new = load_document(_text(before), before), load_document(_text(after), after)
    except BadServingConfig:
        return Change(number, time, is_readable=False)
    was, is_ = _entries(old), _entries(new)
    return Change(
        number,
        time,
        added=tuple(sorted(is_.keys() - was.keys())),
        removed=tuple(sorted(was.keys() - is_.keys())),
        changed=tuple(sorted(name for name in was.keys() & is_.keys() if was[name] != is_[name])),
        settings=tuple(sorted(_settings(old, new))),
    )


def _entries(document: dict[str, Any]) -> dict[str, str]:
    entries = document["model_config_list"]
    return {
        entry_name(entry) or f"entry {number}": json.dumps(entry, sort_keys=True)
        for number, entry in enumerate(entries, 1)
    }


def _settings(old: dict[str, Any], new: dict[str, Any]) -> set[str]:
    keys = (old.keys() | new.keys()) - {"model_config_list"}
    return {key for key in keys if old.get(key) != new.get(key)}
