"""Prometheus's text format, with OVMS's counters named as OVMS names them: without a suffix."""

import math
from collections.abc import Iterable

from prometheus_client import Metric
from prometheus_client.samples import Sample


def as_text(metrics: Iterable[Metric]) -> str:
    """Write metrics as a scrape reads them."""
    lines: list[str] = []
    for metric in metrics:
        lines += [f"# HELP {_name_of(metric)} {metric.documentation}"]
        lines += [f"# TYPE {_name_of(metric)} {metric.type}"]
        lines += [_line_of(s) for s in metric.samples if not s.name.endswith("_created")]
    return "\n".join([*lines, ""])


def _name_of(metric: Metric) -> str:
    is_ours = metric.type == "counter" and not metric.name.startswith("ovms_")
    return metric.name + "_total" if is_ours else str(metric.name)


def _line_of(sample: Sample) -> str:
    name = sample.name.removesuffix("_total") if sample.name.startswith("ovms_") else sample.name
    pairs = [f'{key}="{_label(key, value)}"' for key, value in sample.labels.items() if value]
    labels = "{" + ",".join(pairs) + "}" if pairs else ""
    return f"{name}{labels} {_number(sample.value)}"


def _label(key: str, value: str) -> str:
    if key == "le" and value != "+Inf":
        return _number(float(value))
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    return str(int(value)) if math.isfinite(value) and value == int(value) else repr(value)
