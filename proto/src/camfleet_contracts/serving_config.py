"""config.json: which models are served, in the schema and meaning of OVMS 2026.2.1.

Read leniently: a bad entry costs that entry, an unknown key is a warning of that model only.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from camfleet_contracts.files import locked, write_atomically

HISTORY_LENGTH = 20
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_TOP_LEVEL = {"model_config_list", "monitoring"}
_NOT_APPLIED = ("mean", "scale", "color_format", "precision")


class BadServingConfig(Exception):
    """config.json as a whole cannot be read."""

    def __init__(self, path: Path, reason: str, line: int | None = None) -> None:
        self.path, self.reason, self.line = path, reason, line
        super().__init__(f"{path}{f':{line}' if line else ''}: {reason}")


class ModelConfig(BaseModel):
    """One entry of `model_config_list`; `base_path` is absolute."""

    model_config = ConfigDict(frozen=True, extra="allow")

    name: str = Field(min_length=1)
    base_path: Path
    batch_size: int | str | None = None
    shape: str | dict[str, str] | None = None
    layout: str | dict[str, str] | None = None
    model_version_policy: dict[str, Any] | None = None
    nireq: int = Field(0, ge=0)
    target_device: str = ""
    plugin_config: dict[str, str | bool | int | float] = Field(default_factory=dict)
    mean: str | list[float] | None = None
    scale: str | float | list[float] | None = None
    color_format: str | None = None
    precision: str | None = None

    @field_validator("model_version_policy")
    @classmethod
    def _one_known_policy(cls, policy: dict[str, Any] | None) -> dict[str, Any] | None:
        if policy is not None and (len(policy) != 1 or set(policy) - {"all", "latest", "specific"}):
            raise ValueError("give exactly one of all, latest, specific")
        return policy


class ServingConfig(BaseModel):
    """What config.json asks for, with what had to be left out and why."""

    model_config = ConfigDict(frozen=True)

    models: tuple[ModelConfig, ...] = ()
    monitoring: dict[str, Any] = Field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    entry_faults: dict[str, str] = Field(default_factory=dict)


def read_serving_config(path: Path) -> ServingConfig:
    """Read and parse `path`; `${NAME}` comes from the environment.

    Raises:
        BadServingConfig: the file is missing, unreadable, no JSON or has no model list.
    """
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise BadServingConfig(path, f"cannot be read: {reason}") from error
    return parse_serving_config(text, path=path, env=os.environ)  # noqa: TID251 - ${ENV} of the file


def parse_serving_config(text: str, *, path: Path, env: Mapping[str, str]) -> ServingConfig:
    """Parse the text of config.json; relative base paths are relative to the folder of `path`.

    Raises:
        BadServingConfig: see `read_serving_config`.
    """
    entries, monitoring, warnings = _parse_top_level(text, path)
    models: dict[str, ModelConfig] = {}
    faults: dict[str, str] = {}
    for number, entry in enumerate(entries):
        label = _entry_label(entry, number)
        try:
            model = _parse_entry(entry, path.parent, env)
        except ValueError as error:
            faults[label] = f"{label}: {_reasons(error)}"
            continue
        if model.name in models:
            warnings.append(f"{model.name}: named twice in {path.name}; the first entry counts")
            continue
        models[model.name] = model
        warnings += [
            f"{model.name}: unknown key {key!r} is ignored" for key in model.model_extra or ()
        ]
        warnings += [
            f"{model.name}: key {key!r} is read but not applied yet"
            for key in _NOT_APPLIED
            if getattr(model, key) is not None
        ]
    return ServingConfig(
        models=tuple(models.values()),
        monitoring=monitoring,
        warnings=tuple(warnings),
        entry_faults=faults,
    )


@contextmanager
def edit_serving_config(path: Path) -> Iterator[dict[str, Any]]:
    """Change config.json under its lock; written atomically when the block ends well.

    The text before the change is kept as `.history/config-<n>.json` (the last 20).

    Raises:
        BadServingConfig: the file before or after the change cannot be read.
    """
    with locked(path):
        before = path.read_text() if path.is_file() else '{"model_config_list": []}'
        _parse_top_level(before, path)
        document: dict[str, Any] = json.loads(before)
        yield document
        after = json.dumps(document, indent=2) + "\n"
        parsed = parse_serving_config(after, path=path, env=os.environ)  # noqa: TID251 - as above
        if parsed.entry_faults:
            raise BadServingConfig(path, "; ".join(parsed.entry_faults.values()))
        if after != before:
            _keep_history(path, before)
            write_atomically(path, after)


def _parse_top_level(text: str, path: Path) -> tuple[list[Any], dict[str, Any], list[str]]:
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise BadServingConfig(path, f"not valid JSON: {error.msg}", error.lineno) from error
    except RecursionError as error:
        raise BadServingConfig(path, "not valid JSON: too deeply nested") from error
    if not isinstance(document, dict) or not isinstance(document.get("model_config_list"), list):
        raise BadServingConfig(path, "needs a list 'model_config_list' at the top level")
    monitoring = document.get("monitoring")
    unknown = [key for key in document if key not in _TOP_LEVEL]
    warnings = [
        f"{path.name}: top-level key {key!r} is not supported and ignored" for key in unknown
    ]
    return (
        document["model_config_list"],
        monitoring if isinstance(monitoring, dict) else {},
        warnings,
    )


def _entry_label(entry: Any, number: int) -> str:
    config = entry.get("config") if isinstance(entry, dict) else None
    name = config.get("name") if isinstance(config, dict) else None
    return name if isinstance(name, str) and name else f"model_config_list[{number}]"


def _parse_entry(entry: Any, folder: Path, env: Mapping[str, str]) -> ModelConfig:
    if not isinstance(entry, dict) or not isinstance(entry.get("config"), dict):
        raise ValueError("must be an object {'config': {...}}")  # noqa: TRY004 - one kind of fault
    fields = {key: _substituted(value, env) for key, value in entry["config"].items()}
    base_path = fields.get("base_path")
    if isinstance(base_path, str):
        if ".." in Path(base_path).parts:
            raise ValueError(f"base_path {base_path!r} must not contain '..'")
        fields["base_path"] = (folder / base_path).absolute()
    return ModelConfig(**fields)


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


def _reasons(error: ValueError) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    faults = error.errors(include_url=False)
    return "; ".join(f"{'.'.join(map(str, f['loc'][:2]))}: {f['msg']}" for f in faults)


def _keep_history(path: Path, text: str) -> None:
    folder = path.parent / ".history"
    folder.mkdir(exist_ok=True)
    kept = sorted(folder.glob("config-*.json"), key=lambda file: int(file.stem.split("-")[1]))
    number = int(kept[-1].stem.split("-")[1]) + 1 if kept else 1
    write_atomically(folder / f"config-{number}.json", text)
    for old in kept[: max(0, len(kept) + 1 - HISTORY_LENGTH)]:
        old.unlink(missing_ok=True)
