"""`--strict-ovms`: refuses what OVMS's own schema refuses, with key and line."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from camfleet_contracts.serving_config.model import BadServingConfig
from camfleet_contracts.serving_config.refusals import REFUSED_LISTS

_TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|[{}\[\]:,]|[^\s{}\[\]:,"]+')
Where = tuple[str | int, ...]


class _Fault(NamedTuple):
    where: Where
    reason: str


def check_strictly(document: dict[str, Any], text: str, path: Path) -> None:
    """Compare with the schema of OVMS 2026.2.1.

    Raises:
        BadServingConfig: what OVMS would refuse first, with its line.
    """
    for fault in _faults(document):
        line = _lines_of(text).get(fault.where)
        shown = ".".join(str(step) for step in fault.where)
        raise BadServingConfig(path, f"OVMS refuses {shown}: {fault.reason}", line)


def _faults(document: dict[str, Any]) -> Iterator[_Fault]:
    known = {"model_config_list", "monitoring", *REFUSED_LISTS}
    yield from _unknown((), document, known)
    for key in REFUSED_LISTS:
        if not isinstance(document.get(key, []), list):
            yield _Fault((key,), "must be a list")
    yield from _monitoring_faults(document.get("monitoring"))
    for number, entry in enumerate(document["model_config_list"]):
        yield from _entry_faults(("model_config_list", number), entry)


def _monitoring_faults(monitoring: Any) -> Iterator[_Fault]:
    if monitoring is None:
        return
    where: Where = ("monitoring", "metrics")
    metrics = monitoring.get("metrics") if isinstance(monitoring, dict) else None
    if not isinstance(metrics, dict):
        yield _Fault(("monitoring",), "needs an object 'metrics'")
        return
    yield from _unknown(("monitoring",), monitoring, {"metrics"})
    yield from _unknown(where, metrics, {"enable", "metrics_list"})
    if not isinstance(metrics.get("enable"), bool):
        yield _Fault(where, "needs 'enable', true or false")
    if not _is_list_of_texts(metrics.get("metrics_list", [])):
        yield _Fault((*where, "metrics_list"), "must be a list of texts")


def _entry_faults(where: Where, entry: Any) -> Iterator[_Fault]:
    if not isinstance(entry, dict) or not isinstance(entry.get("config"), dict):
        yield _Fault(where, "needs an object 'config'")
        return
    yield from _unknown(where, entry, {"config"})
    config, where = entry["config"], (*where, "config")
    yield from _unknown(where, config, _MODEL)
    if "name" not in config:
        yield _Fault(where, "needs 'name'")
    for key, (is_right, wanted) in _MODEL.items():
        if key in config and not is_right(config[key]):
            yield _Fault((*where, key), f"must be {wanted}")


def _unknown(where: Where, given: dict[str, Any], known: Any) -> Iterator[_Fault]:
    for key in given:
        if key not in known:
            yield _Fault((*where, key), "its schema does not know this key")


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_bool(value: Any) -> bool:
    return isinstance(value, bool)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_list_of_texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _is_text_or_texts(value: Any) -> bool:
    return _is_text(value) or (isinstance(value, dict) and all(map(_is_text, value.values())))


def _is_policy(value: Any) -> bool:
    if not isinstance(value, dict) or len(value) != 1:
        return False
    ((kind, options),) = value.items()
    if not isinstance(options, dict):
        return False
    if kind == "latest":
        return set(options) == {"num_versions"} and _is_version(options["num_versions"])
    versions = options.get("versions")
    if kind == "specific":
        return len(options) == 1 and isinstance(versions, list) and all(map(_is_version, versions))
    return kind == "all" and not options


def _is_version(value: Any) -> bool:
    return _is_count(value) and value >= 1


def _is_flat(value: Any) -> bool:
    simple = (str, bool, int, float)
    return isinstance(value, dict) and all(isinstance(item, simple) for item in value.values())


def _is_loader(value: Any) -> bool:
    return isinstance(value, dict) and _is_text(value.get("loader_name"))


_MODEL: dict[str, tuple[Callable[[Any], bool], str]] = {
    "name": (_is_text, "a text"),
    "base_path": (_is_text, "a text"),
    "batch_size": (lambda v: _is_text(v) or _is_count(v), "a number from 0 or a text"),
    "shape": (_is_text_or_texts, "a text or an object of texts"),
    "layout": (_is_text_or_texts, "a text or an object of texts"),
    "model_version_policy": (_is_policy, "one of all, latest {num_versions}, specific {versions}"),
    "nireq": (_is_count, "a number from 0"),
    "target_device": (_is_text, "a text"),
    "plugin_config": (_is_flat, "an object of texts, numbers, true and false"),
    "allow_cache": (_is_bool, "true or false"),
    "custom_loader_options": (_is_loader, "an object with 'loader_name'"),
    "graph_path": (_is_text, "a text"),
    "subconfig": (_is_text, "a text"),
    "stateful": (_is_bool, "true or false"),
    "idle_sequence_cleanup": (_is_bool, "true or false"),
    "max_sequence_number": (_is_count, "a number from 0"),
    "low_latency_transformation": (_is_bool, "true or false"),
}


def _lines_of(text: str) -> dict[Where, int]:
    """Return the line of every key and list item of a valid JSON text, by its path."""
    lines: dict[Where, int] = {}
    steps: list[str | int] = []
    key = ""
    for token in _TOKEN.finditer(text):
        word = token.group(0)
        if word == ",":
            if steps and isinstance(steps[-1], int):
                steps[-1] += 1
        elif word == ":":
            steps[-1] = key
            lines[tuple(steps)] = text.count("\n", 0, token.start()) + 1
        elif word in {"]", "}"}:
            steps.pop()
        else:
            if steps and isinstance(steps[-1], int):
                lines[tuple(steps)] = text.count("\n", 0, token.start()) + 1
            if word in {"[", "{"}:
                steps.append(0 if word == "[" else "")
            key = word.strip('"')
    return lines
