"""Changes of config.json: under its lock, atomic, checked, with history."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from camfleet_contracts.files import locked, write_over
from camfleet_contracts.serving_config.history import keep_in_history, withdraw_change
from camfleet_contracts.serving_config.model import BadServingConfig
from camfleet_contracts.serving_config.parsing import (
    entry_name,
    load_document,
    parse_serving_config,
    read_config_text,
)
from camfleet_contracts.settings import process_environment

_EMPTY = '{"model_config_list": []}'
_POSITION = re.compile(r"\[\d+\]")


@contextmanager
def edit_serving_config(path: Path) -> Iterator[dict[str, Any]]:
    """Change config.json under its lock; written atomically when the block ends well.

    The text before the change is kept as `.history/config-<n>.json` (the last 20).

    Raises:
        BadServingConfig: the file before the change cannot be read, the change brings a fault, or
            an editor that knows no lock wrote the file meanwhile; what is in it then stays.
    """
    with locked(path):
        before = read_config_text(path) if path.is_file() else _EMPTY
        document = load_document(before, path)
        untouched = _written(document)
        yield document
        after = _written(document)
        if after != untouched:  # what only differs in its form from `before` is no change
            _refuse_new_faults(path, before, after)
            if path.is_file() and read_config_text(path) != before:
                raise BadServingConfig(path, "somebody wrote it meanwhile; do your change again")
            keep_in_history(path, before)
            write_over(path, after)


def replace_models(path: Path, entries: Sequence[Mapping[str, Any]]) -> bool:
    """Serve these entries (the objects inside `config`) and no others; True when that is a change.

    Raises:
        BadServingConfig: config.json or an entry cannot be used; nothing is written then.
    """
    wanted = [{"config": dict(entry)} for entry in entries]
    with edit_serving_config(path) as document:
        changed: bool = document["model_config_list"] != wanted
        document["model_config_list"] = wanted
    return changed


def put_model(path: Path, entry: Mapping[str, Any], *, replace: bool = True) -> bool:
    """Serve an entry, in the place of the one of its name if there is one; True when changed.

    `replace` False leaves the one that is there as it is.

    Raises:
        BadServingConfig: config.json or the entry cannot be used; nothing is written then.
    """
    wanted = {"config": dict(entry)}
    name = entry_name(wanted)
    with edit_serving_config(path) as document:
        entries = document["model_config_list"]
        places = [i for i, known in enumerate(entries) if name and entry_name(known) == name]
        if places and not replace:
            return False
        if not places:
            entries.append(wanted)
            return True
        changed: bool = entries[places[0]] != wanted
        entries[places[0]] = wanted  # the first of two equal names is the one that counts
    return changed


def remove_model(path: Path, name: str) -> bool:
    """Stop serving a model; False when it was not there. Its files stay.

    Raises:
        BadServingConfig: config.json cannot be read.
    """
    with edit_serving_config(path) as document:
        entries = document["model_config_list"]
        kept = [entry for entry in entries if entry_name(entry) != name]
        document["model_config_list"] = kept
    return len(kept) < len(entries)


def withdraw_model(path: Path, name: str, before: Mapping[str, Any] | None = None) -> bool:
    """Give a model the entry it had before (None: none) again; True when that is a change.

    Where its change is the last one, the history knows neither that nor this.

    Raises:
        BadServingConfig: config.json cannot be read.
    """
    if withdraw_change(path, name, before):
        return True
    return remove_model(path, name) if before is None else put_model(path, before)


def _written(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _refuse_new_faults(path: Path, before: str, after: str) -> None:
    """Raise for what the change itself broke; an entry that was at fault before may stay so."""
    faults = _faults(path, after)
    known = set(map(_without_position, _faults(path, before)))
    new = [fault for fault in faults if _without_position(fault) not in known]
    if new:
        raise BadServingConfig(path, "; ".join(new))


def _faults(path: Path, text: str) -> list[str]:
    parsed = parse_serving_config(text, path=path, env=process_environment())
    return parsed.told_entry_faults


def _without_position(fault: str) -> str:
    return _POSITION.sub("[]", fault)
