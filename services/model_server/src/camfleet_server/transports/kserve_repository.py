"""The model repository extension in values that gRPC and REST share."""

from collections.abc import Mapping
from typing import Any

from camfleet_contracts.json_text import parse_json
from camfleet_server.errors import InvalidInput, ServerError
from camfleet_server.transports.kserve_terms import model_config, repository_state
from camfleet_server.transports.served import Catalogue, Served

CONFIG, UNLOAD_DEPENDENTS = "config", "unload_dependents"


def index_entries(served: Served, *, only_ready: bool) -> list[dict[str, str]]:
    """List every version of every model with its state and reason, and what could be loaded."""
    entries = [
        {
            "name": name,
            "version": str(status.version),
            "state": repository_state(status),
            "reason": status.reason,
        }
        for name, statuses in served.all_statuses().items()
        for status in statuses
    ]
    if only_ready:
        return [entry for entry in entries if entry["state"] == "READY"]
    absent = {"version": "", "state": "UNAVAILABLE", "reason": "not loaded"}
    return entries + [{"name": name, **absent} for name in served.loadable_models()]


def overrides_in(served: Catalogue, name: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the parameter `config` of a load asks to change.

    What is equal to the configuration the model answers with now is no change: clients take that,
    change a key and send all of it.

    Raises:
        InvalidInput: it is not a JSON object.
    """
    text = parameters.get(CONFIG, "{}")
    try:
        config = parse_json(text)
    except (TypeError, ValueError) as error:
        raise InvalidInput(_not_loaded(name, f"not JSON: {error}")) from error
    if not isinstance(config, dict):
        raise InvalidInput(_not_loaded(name, "Expected: an object"))
    current = _current_config(served, name)
    return {key: value for key, value in config.items() if current.get(key, _NO) != value}


def refuse_unknown(parameters: Mapping[str, Any], *known: str) -> None:
    """Refuse parameters that would be ignored.

    Raises:
        InvalidInput: names the first.
    """
    for name in parameters:
        if name not in known:
            raise InvalidInput(f"parameter '{name[:80]}' - Expected: one of {', '.join(known)}")


def _not_loaded(name: str, why: str) -> str:
    return f"failed to load '{name}', parameter '{CONFIG}' - Invalid JSON structure - {why}"


def _current_config(served: Catalogue, name: str) -> dict[str, Any]:
    try:
        metadata = served.model_metadata(name)
    except ServerError:  # it is not loaded
        return {}
    return model_config(metadata, metadata.manifest.text)


_NO = object()
