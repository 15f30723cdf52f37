"""`--add_to_config`, `--remove_from_config`, `--list_models`: OVMS's commands for config.json."""

import sys
from collections.abc import Iterator
from pathlib import Path

from camfleet_contracts.serving_config import BadServingConfig, put_model, remove_model
from camfleet_contracts.volume import versions_of
from camfleet_server.command.settings import ConfigEdit

_DEEPEST = 3  # user/model and one more


def run_config_edit(edit: ConfigEdit) -> int:
    """Do what is asked, say so as OVMS does, and return the exit code."""
    if edit.action == "list":
        return _list_models(edit.repository)
    try:
        _add(edit) if edit.action == "add" else _remove(edit)
    except (BadServingConfig, OSError, ValueError) as error:
        _say(f"Error on config update : {error}")
        return 1
    _say(f"Config updated: {edit.path}")
    return 0


def _add(edit: ConfigEdit) -> None:
    if not put_model(edit.path, edit.entry, replace=False):
        raise ValueError(
            f"{edit.path} has a model {edit.entry['name']!r} already; take it out first with "
            "--remove_from_config"
        )
    folder = edit.path.parent / edit.entry["base_path"]
    if not folder.is_file() and not versions_of(folder):
        sys.stderr.write(f"note: {folder} holds no version folder yet; it is served once it does\n")


def _remove(edit: ConfigEdit) -> None:
    if not edit.path.is_file():
        raise ValueError(f"{edit.path} does not exist")
    if not remove_model(edit.path, edit.entry["name"]):
        raise ValueError(f"{edit.path} has no model {edit.entry['name']!r}")


def _list_models(repository: Path) -> int:
    if not repository.is_dir():
        _say(
            f"Error on listing models : {repository} is not a folder; give --model_repository_path"
        )
        return 1
    _say(f"Available servables to serve from path: {repository} are:")
    for name in sorted(_models_below(repository, repository)):
        _say(name)
    return 0


def _models_below(folder: Path, repository: Path) -> Iterator[str]:
    for path in folder.iterdir():
        if path.name.startswith(".") or not path.is_dir():
            continue
        if versions_of(path):
            yield str(path.relative_to(repository))
        elif len(path.relative_to(repository).parts) < _DEEPEST:
            yield from _models_below(path, repository)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
