"""Reads config.json leniently: a bad entry costs that entry, an unknown key is only warned of."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from camfleet_contracts.faults import fault_words
from camfleet_contracts.files import read_text
from camfleet_contracts.json_text import parse_json
from camfleet_contracts.serving_config.forms import is_name
from camfleet_contracts.serving_config.model import (
    METRICS,
    BadServingConfig,
    MetricsConfig,
    ModelConfig,
    ServingConfig,
)
from camfleet_contracts.serving_config.refusals import (
    REFUSED_LISTS,
    WITHOUT_EFFECT,
    refuse_model,
    refused_entries,
)
from camfleet_contracts.serving_config.strict import check_strictly
from camfleet_contracts.settings import process_environment

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_TOP_LEVEL = {"model_config_list", "monitoring", *REFUSED_LISTS}
_COMMENTS = ("//", "/*", "#")


def read_serving_config(path: Path) -> ServingConfig:
    """Read and parse `path`; `${NAME}` comes from the environment.

    Raises:
        BadServingConfig: the file is missing, unreadable, no JSON or has no model list.
    """
    text = read_config_text(path)
    return parse_serving_config(text, path=path, env=process_environment())


def read_config_text(path: Path) -> str:
    """Read the text of config.json.

    Raises:
        BadServingConfig: the file is missing or unreadable.
    """
    try:
        return read_text(path)
    except OSError as error:
        raise BadServingConfig(path, f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BadServingConfig(
            path, "cannot be read: it is not UTF-8 text; save it as UTF-8"
        ) from error


def parse_serving_config(
    text: str, *, path: Path, env: Mapping[str, str], strict: bool = False
) -> ServingConfig:
    """Parse the text of config.json; relative base paths are relative to the folder of `path`.

    Raises:
        BadServingConfig: see `read_serving_config`; with `strict` also when OVMS itself would
            refuse it.
    """
    document = load_document(text, path)
    if strict:
        check_strictly(document, text, path)
    metrics, warnings = _parse_monitoring(document.get("monitoring"), path)
    warnings += [
        f"{path.name}: top-level key {key!r} is not known and ignored"
        for key in document
        if key not in _TOP_LEVEL
    ]
    models: dict[str, ModelConfig] = {}
    faults: dict[str, str] = {}
    for number, entry in enumerate(document["model_config_list"]):
        label = _entry_label(entry, number)
        if label in models or label in faults:
            warnings.append(f"{label}: named twice in {path.name}; the first entry counts")
            continue
        try:
            models[label] = _parse_entry(entry, path.parent, env)
        except ValueError as error:
            faults[label] = reasons_of(error)
            continue
        warnings += _warnings_of(models[label])
    for label, reason in refused_entries(document):
        if label in models:
            warnings.append(f"{label}: {reason} (a model of that name is served)")
        else:
            faults.setdefault(label, reason)
    return ServingConfig(
        models=tuple(models.values()),
        metrics=metrics,
        warnings=tuple(warnings),
        entry_faults=faults,
    )


def parse_model(
    fields: Mapping[str, Any], folder: Path, env: Mapping[str, str] | None = None
) -> ModelConfig:
    """Parse one entry's `config` object; a relative base path is relative to `folder`.

    Raises:
        ValueError: it cannot be served; `reasons_of` tells why.
    """
    read = {key: _substituted(value, env or {}) for key, value in fields.items()}
    refuse_model(read)
    if "base_path" in read:
        read["base_path"] = (folder / _checked_path(read["base_path"])).absolute()
    return ModelConfig(**read)


def load_document(text: str, path: Path) -> dict[str, Any]:
    """Return the JSON object of config.json.

    Raises:
        BadServingConfig: no JSON, or no model list in it.
    """
    try:
        document = parse_json(text)
    except json.JSONDecodeError as error:
        reason = f"not valid JSON: {error.msg}{_hint(text, error.pos)}"
        raise BadServingConfig(path, reason, error.lineno) from error
    except ValueError as error:
        raise BadServingConfig(path, f"not usable: {error}") from error
    if not isinstance(document, dict) or not isinstance(document.get("model_config_list"), list):
        raise BadServingConfig(path, "needs a list 'model_config_list' at the top level")
    return document


def entry_name(entry: Any) -> str:
    """Return the name in an entry of `model_config_list`; empty when none can be told."""
    config = entry.get("config") if isinstance(entry, dict) else None
    name = config.get("name") if isinstance(config, dict) else None
    return name if is_name(name) else ""


def reasons_of(error: ValueError) -> str:
    """Return why an entry cannot be served, in one line."""
    if not isinstance(error, ValidationError):
        return str(error)
    told: dict[str, str] = {}
    for fault in error.errors(include_url=False):  # of a union: the last way that was tried
        told[str(fault["loc"][0]) if fault["loc"] else ""] = fault_words(fault)
    return "; ".join(f"{key}: {text}" for key, text in told.items())


def _hint(text: str, position: int) -> str:
    rest = text[position:].lstrip()
    if rest.startswith(_COMMENTS):
        return "; JSON has no comments, remove it"
    if text[:position].rstrip().endswith(",") and rest[:1] in {"}", "]"}:
        return "; remove the comma before it"
    if rest[:1] in {"}", "]"} and rest[1:2]:
        return ""
    return "; the file ends too early" if not rest else ""


def _entry_label(entry: Any, number: int) -> str:
    return entry_name(entry) or f"model_config_list[{number}]"


def _parse_entry(entry: Any, folder: Path, env: Mapping[str, str]) -> ModelConfig:
    if not isinstance(entry, dict) or not isinstance(entry.get("config"), dict):
        raise ValueError("must be an object {'config': {...}}")  # noqa: TRY004 - one kind of fault
    return parse_model(entry["config"], folder, env)


def _checked_path(base_path: Any) -> str:
    if not isinstance(base_path, str):
        raise ValueError(f"base_path: must be a text, got {base_path!r:.40}")  # noqa: TRY004 - as all
    if not base_path.strip():
        raise ValueError("base_path is empty")
    if "\0" in base_path or not is_name(base_path):
        raise ValueError(f"base_path {base_path!r} must be UTF-8 text without zeros")
    if ".." in Path(base_path).parts:
        raise ValueError(f"base_path {base_path!r} must not contain '..'")
    return base_path


def _warnings_of(model: ModelConfig) -> Iterator[str]:
    for key in model.model_extra or ():
        if key in WITHOUT_EFFECT:
            yield f"{model.name}: key {key!r} has no effect: {WITHOUT_EFFECT[key]}"
        elif key not in {"stateful", "low_latency_transformation"}:  # false, or it were refused
            yield f"{model.name}: unknown key {key!r} is ignored"
    if model.shape is not None and model.batch_size not in {None, 0, "0"}:
        yield f"{model.name}: 'batch_size' is ignored because 'shape' is given"


def _parse_monitoring(monitoring: Any, path: Path) -> tuple[MetricsConfig | None, list[str]]:
    if monitoring is None:
        return None, []
    where = f"{path.name}: monitoring"
    if not isinstance(monitoring, dict) or not isinstance(monitoring.get("metrics"), dict):
        return None, [f'{where} is ignored: it is written {{"metrics": {{"enable": true}}}}']
    try:
        metrics = MetricsConfig(**monitoring["metrics"])
    except ValidationError as error:
        return None, [f"{where}.metrics is ignored: {reasons_of(error)}"]
    unknown = [name for name in metrics.metrics_list if name not in METRICS]
    told = [f"{where}.metrics: there is no metric {name!r}" for name in unknown]
    return metrics, told + [f"{where}: unknown key {k!r}" for k in monitoring if k != "metrics"]


def _substituted(value: Any, env: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return _VARIABLE.sub(lambda match: _variable(match.group(1), env), value)
    if isinstance(value, dict):
        return {key: _substituted(item, env) for key, item in value.items()}
    return [_substituted(item, env) for item in value] if isinstance(value, list) else value


def _variable(name: str, env: Mapping[str, str]) -> str:
    if name not in env:
        raise ValueError(f"${{{name}}} is not set in the environment")
    return env[name]
