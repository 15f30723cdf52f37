"""A configuration that comes as a request: checked whole, written to config.json, waited for."""

import json
import os
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from camfleet_contracts.files import write_atomically
from camfleet_contracts.serving_config import BadServingConfig, edit_serving_config
from camfleet_contracts.serving_config.parsing import entry_name
from camfleet_server.errors import InvalidInput, ReloadFailed
from camfleet_server.serving.registry import ServedModel
from camfleet_server.types import VersionState, WantedModel

LABELS_NAME = "version_labels.json"
_FILE_SCHEME = "file://"
_REQUEST_KEYS = ("name", "base_path", "model_version_policy")  # the others of an entry stay


def check_models(models: Sequence[WantedModel], folder: Path) -> None:
    """Refuse a configuration before anything of it is written.

    Raises:
        InvalidInput: names every fault.
    """
    names = Counter(model.name for model in models)
    faults = [f"{name}: named {n} times" for name, n in names.items() if n > 1]
    faults += [fault for model in models for fault in _faults_of(model, folder)]
    if faults:
        raise InvalidInput(f"Invalid config in the request - {'; '.join(faults)}")


def write_models(path: Path, models: Sequence[WantedModel]) -> None:
    """Make these the models of config.json; what else an entry of the same name says stays.

    Raises:
        ReloadFailed: config.json cannot be used or written.
    """
    try:
        with edit_serving_config(path) as document:
            known = {entry_name(entry): entry for entry in reversed(document["model_config_list"])}
            document["model_config_list"] = [
                {"config": _entry(model, known.get(model.name))} for model in models
            ]
    except BadServingConfig as error:
        raise ReloadFailed(str(error)) from error
    except OSError as error:
        raise ReloadFailed(f"{path} cannot be written: {error.strerror}") from error


def write_labels(models: Sequence[WantedModel], folder: Path) -> bool:
    """Give the versions of models their labels, and no others; True when that is a change.

    Raises:
        ReloadFailed: a file cannot be written.
    """
    changes = [_write_labels(model, folder) for model in models]
    return any(changes)


def _write_labels(model: WantedModel, folder: Path) -> bool:
    path = _base_path(model, folder) / LABELS_NAME
    text = json.dumps(dict(sorted(model.labels.items())), indent=2) + "\n"
    try:
        if not model.labels:
            return _remove(path)
        if path.is_file() and path.read_bytes() == text.encode():
            return False
        write_atomically(path, text)
    except OSError as error:
        raise ReloadFailed(f"{path} cannot be written: {error.strerror}") from error
    return True


def faults_of_served(
    models: Sequence[WantedModel], get_model: Callable[[str], ServedModel]
) -> tuple[str, ...]:
    """Tell of each model what keeps it, or a label's version, from being available."""
    return tuple(
        f"{model.name}: {fault}" for model in models if (fault := _missing(model, get_model))
    )


def _missing(model: WantedModel, get_model: Callable[[str], ServedModel]) -> str:
    served = get_model(model.name)
    if served.reason_of_versions:
        return served.reason_of_versions
    loading = [s.version for s in served.statuses if s.state is VersionState.LOADING]
    if loading or not served.versions:
        return f"still loading version {', '.join(map(str, loading)) or 'unknown'}"
    absent = [
        f"label {label!r} wants version {version}, which is not AVAILABLE"
        for label, version in model.labels.items()
        if version not in served.versions
    ]
    return "; ".join(absent)


def _remove(path: Path) -> bool:
    if not path.is_file():
        return False
    path.unlink()
    return True


def _faults_of(model: WantedModel, folder: Path) -> list[str]:
    if not model.name:
        return ["a model without a name"]
    if not model.base_path:
        return [f"{model.name}: base_path is empty"]
    path = _base_path(model, folder)
    if not path.exists():
        return [f"{model.name}: base_path {path} does not exist"]
    if not os.access(path, os.R_OK | os.X_OK if path.is_dir() else os.R_OK):
        return [f"{model.name}: base_path {path} cannot be read"]
    if model.labels and not path.is_dir():
        return [f"{model.name}: version_labels need a folder of versions, {path} is a file"]
    return []


def _base_path(model: WantedModel, folder: Path) -> Path:
    return folder / model.base_path.removeprefix(_FILE_SCHEME)


def _entry(model: WantedModel, known: Any) -> dict[str, Any]:
    kept = known["config"] if known else {}
    entry = {key: value for key, value in kept.items() if key not in _REQUEST_KEYS}
    base_path = model.base_path.removeprefix(_FILE_SCHEME)
    policy = {} if model.version_policy is None else {"model_version_policy": model.version_policy}
    return {"name": model.name, "base_path": base_path, **policy, **entry}
