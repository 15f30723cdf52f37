"""config.json from a cell: under its lock, checked, with the change shown and a way back."""

import difflib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from typing import Any

from camfleet.cli.settings import command_settings
from camfleet_contracts.serving_config import (
    BadServingConfig,
    NoSuchChange,
    edit_serving_config,
    roll_back,
)
from camfleet_workbench.cells import CellOutput
from camfleet_workbench.plainly import CellError

_COLOURS = {"+": "#1a7f37", "-": "#cf222e"}


class EditedConfig:
    """config.json while it is edited; what is set is written when the block ends well."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document  # the whole file, for what has no name here

    @property
    def models(self) -> list[str]:
        """The names that are served."""
        return [entry["config"].get("name", "") for entry in self.document["model_config_list"]]

    def __getitem__(self, name: str) -> dict[str, Any]:
        """The entry of a model, to be changed in place.

        Raises:
            CellError: there is none of that name.
        """
        for entry in self.document["model_config_list"]:
            config: dict[str, Any] = entry["config"]
            if config.get("name") == name:
                return config
        raise CellError(f"config.json has no model '{name}'; it has {', '.join(self.models)}")


@contextmanager
def edit_config() -> Iterator[EditedConfig]:
    """Change config.json; the difference is shown when the block ends.

    `with edit_config() as config: config["demo-street"]["nireq"] = 2`

    Raises:
        CellError: the change is none that the server would take, or somebody else wrote the file
            meanwhile; nothing is written then.
    """
    path = command_settings().models_dir / "config.json"
    try:
        with edit_serving_config(path) as document:
            before = _text(document)
            yield EditedConfig(document)
            after = _text(document)
    except BadServingConfig as error:
        raise CellError(f"{error}; config.json is as it was") from error
    CellOutput().html(difference(before, after))


def undo_config(number: int | None = None) -> str:
    """Take the last change of config.json back, or the one of this number; says which.

    Raises:
        CellError: there is no such change.
    """
    path = command_settings().models_dir / "config.json"
    before = path.read_text() if path.is_file() else ""
    try:
        change = roll_back(path, number)
    except (NoSuchChange, BadServingConfig) as error:
        raise CellError(f"{error}; `camfleet model log` lists the changes") from error
    if change is None:
        return "config.json has that text already"
    CellOutput().html(difference(before, path.read_text()))
    return f"config.json is as it was before change {change.number}"


def difference(before: str, after: str) -> str:
    """The changed lines as HTML, with two lines around them."""
    lines = list(difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=2))
    if not lines:
        return "<p>config.json: no change</p>"
    shown = "\n".join(
        f"<span style='color:{_COLOURS.get(line[:1], 'inherit')}'>{escape(line)}</span>"
        for line in lines[2:]
    )
    return f"<pre>{shown}</pre>"


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False)
