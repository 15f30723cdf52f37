"""Finds the tensors of an uncompiled model that a setting of config.json is meant for."""

from collections.abc import Mapping
from typing import Any

from camfleet_server.runtimes.base import LoadError
from camfleet_server.runtimes.mapping import TensorMapping


class TensorFinder:
    """Knows the tensors by their names in the file and by the aliases of mapping_config.json."""

    def __init__(self, model: Any, mapping: TensorMapping) -> None:
        self._inputs = [_names_of(port) for port in model.inputs]
        self._outputs = [
            _names_of(port) | {port.node.input_value(0).get_node().get_friendly_name()}
            for port in model.outputs
        ]
        self._mapping = mapping

    def inputs(self, setting: Any, what: str) -> dict[int, Any]:
        """Return the values of a setting by the number of the input; the outputs' are left out.

        Raises:
            LoadError: it names a tensor that is not there, or one value is given for many inputs.
        """
        if setting is None or setting in ("", {}):
            return {}
        if not isinstance(setting, Mapping):
            if len(self._inputs) != 1:
                names = [min(names, default="?") for names in self._inputs]
                raise LoadError(
                    f"{what}: the model has the inputs {names}; give one {what} for each"
                )
            return {0: setting}
        chosen = {name: self._find(name, self._inputs) for name in setting}
        for name, number in chosen.items():
            if number is None and (what != "layout" or self._find(name, self._outputs) is None):
                raise LoadError(f"{what}: the model has no input {name!r}")
        return {number: setting[name] for name, number in chosen.items() if number is not None}

    def outputs(self, setting: Any) -> dict[int, Any]:
        """Return the values of a setting for outputs, by their number."""
        if not isinstance(setting, Mapping):
            return {}
        chosen = {name: self._find(name, self._outputs) for name in setting}
        return {
            number: setting[name]
            for name, number in chosen.items()
            if number is not None and self._find(name, self._inputs) is None
        }

    def _find(self, name: str, tensors: list[set[str]]) -> int | None:
        own = self._mapping.name_in_file(name)
        return next((i for i, names in enumerate(tensors) if name in names or own in names), None)


def _names_of(port: Any) -> set[str]:
    return {*port.names, port.node.get_friendly_name()}
