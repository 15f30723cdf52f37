"""mapping_config.json of a version: the names under which clients see its tensors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from camfleet_contracts.json_text import read_json
from camfleet_contracts.serving_config.forms import is_name
from camfleet_server.runtimes.base import LoadError
from camfleet_server.types import TensorSpec

FILE_NAME = "mapping_config.json"


@dataclass(frozen=True, slots=True)
class TensorMapping:
    """Aliases by the name in the model file."""

    inputs: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)

    def name_in_file(self, name: str) -> str:
        """Return what the file calls the tensor that clients know as `name`."""
        for names in (self.inputs, self.outputs):
            for own, alias in names.items():
                if alias == name:
                    return own
        return name


def read_mapping(folder: Path) -> TensorMapping:
    """Read the mapping of a version folder; an empty one when it has none.

    Raises:
        LoadError: it is not JSON, or not of the form {"inputs": {tensor: alias}, "outputs": {..}}.
    """
    path = folder / FILE_NAME
    if not path.is_file():
        return TensorMapping()
    try:
        document = read_json(path)
    except (OSError, ValueError) as error:
        raise LoadError(f"{FILE_NAME}: cannot be read as JSON: {error}") from error
    if not isinstance(document, dict) or set(document) - {"inputs", "outputs"}:
        raise LoadError(f'{FILE_NAME}: write {{"inputs": {{tensor: alias}}, "outputs": {{..}}}}')
    return TensorMapping(_names(document, "inputs"), _names(document, "outputs"))


def rename(
    specs: Sequence[TensorSpec], others: Mapping[str, str], names: Mapping[str, str], side: str
) -> tuple[tuple[TensorSpec, ...], dict[str, str]]:
    """Return specs under their aliases, and every other name that still leads to them.

    Args:
        specs: under the file's own names.
        others: other names of the file for them -> own name.
        names: own or other name -> alias.
        side: `inputs` or `outputs`, for the reason of an error.

    Raises:
        LoadError: a tensor is not there, or two would have one name.
    """
    aliases: dict[str, str] = {}
    for name, alias in names.items():
        own = others.get(name, name)
        if own not in {spec.name for spec in specs}:
            there = ", ".join(spec.name for spec in specs)
            raise LoadError(f"{FILE_NAME}: {side}: the model has no {name!r}; it has {there}")
        aliases[own] = alias
    renamed = tuple(replace(spec, name=aliases.get(spec.name, spec.name)) for spec in specs)
    taken = {spec.name for spec in renamed}
    if len(taken) != len(specs):
        raise LoadError(f"{FILE_NAME}: {side}: two tensors would have one name")
    known = {other: aliases.get(own, own) for other, own in others.items()} | aliases
    return renamed, {name: target for name, target in known.items() if name not in taken}


def _names(document: dict[str, Any], side: str) -> dict[str, str]:
    names = document.get(side, {})
    if not isinstance(names, dict) or not all(map(is_name, names.values())):
        raise LoadError(f"{FILE_NAME}: {side} must be an object of texts, tensor: alias")
    return names
