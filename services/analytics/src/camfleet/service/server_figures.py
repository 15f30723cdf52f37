"""What the model server serves and how fast, read from its REST side when somebody asks."""

import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

Facts = dict[str, Any]
Totals = Mapping[tuple[str, str, str], float]  # metric, model, version

_CONFIG = "config.json"  # the server tells the fault of the whole file as one more model
_NO_VERSION = "0"  # as which it tells the fault of what has no version
LEAST_S = 1.0  # between two readings that are compared
LONGEST_S = 30.0  # older readings say nothing of now
_READ = (
    "ovms_requests_success",
    "ovms_requests_fail",
    "ovms_request_time_us_sum",
    "ovms_request_time_us_count",
    "ovms_inference_time_us_sum",
    "ovms_inference_time_us_count",
    "ovms_current_requests",
)


class ServerFigures:
    """Compares two readings of the metrics; thread-safe."""

    def __init__(
        self, read: Callable[[str], bytes], clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        """`read` gets a path of the server and returns the body, or raises OSError."""
        self._read, self._clock_s = read, clock_s
        self._lock = threading.Lock()
        self._before: tuple[float, Totals] | None = None
        self._rates: Mapping[tuple[str, str], Facts] = {}

    def served(self) -> Facts:
        """Every model with versions, states and figures; what is wrong with config.json as a whole.

        Raises OSError.
        """
        told = json.loads(self._read("/v1/config"))
        rates = self._rates_now()
        models = [
            _model(name, entry, rates)
            for name, entry in sorted(told.items())
            if isinstance(entry, dict)
        ]
        fault = next((model["fault"] for model in models if model["name"] == _CONFIG), None)
        models = [model for model in models if fault is None or model["name"] != _CONFIG]
        return {"config_fault": fault, "models": models}

    def _rates_now(self) -> Mapping[tuple[str, str], Facts]:
        try:
            totals = _totals(self._read("/metrics").decode())
        except OSError:  # its metrics are off
            return {}
        with self._lock:
            now = self._clock_s()
            passed = LONGEST_S if self._before is None else now - self._before[0]
            if self._before is not None and LEAST_S <= passed < LONGEST_S:
                self._rates = _rates(self._before[1], totals, passed)
            if passed >= LEAST_S:
                self._before = now, totals
            return self._rates


def _model(name: str, entry: Facts, rates: Mapping[tuple[str, str], Facts]) -> Facts:
    versions = [_version(name, one, rates) for one in entry.get("model_version_status", [])]
    return {
        "name": name,
        "fault": next((one["reason"] for one in versions if one["version"] == _NO_VERSION), None),
        "versions": [one for one in versions if one["version"] != _NO_VERSION],
    }


def _version(name: str, told: Facts, rates: Mapping[tuple[str, str], Facts]) -> Facts:
    reason = str(told.get("status", {}).get("error_message", ""))
    version = str(told.get("version", ""))
    return {
        "version": version,
        "state": told.get("state"),
        "reason": None if reason in {"", "OK"} else reason,
        **rates.get((name, version), {}),
    }


def _totals(text: str) -> Totals:
    lines = [line for line in text.splitlines() if line.startswith(_READ)]
    found: defaultdict[tuple[str, str, str], float] = defaultdict(float)
    for family in text_string_to_metric_families("\n".join(lines)):
        for sample in family.samples:
            key = sample.name, sample.labels.get("name", ""), sample.labels.get("version", "")
            found[key] += sample.value
    return found


def _rates(before: Totals, after: Totals, seconds: float) -> dict[tuple[str, str], Facts]:
    def grown(metric: str, model: tuple[str, str]) -> float:
        return after.get((metric, *model), 0.0) - before.get((metric, *model), 0.0)

    def mean_ms(metric: str, model: tuple[str, str]) -> float | None:
        count = grown(f"{metric}_count", model)
        return round(grown(f"{metric}_sum", model) / count / 1000, 2) if count > 0 else None

    return {
        model: {
            "requests_s": round(max(0.0, grown("ovms_requests_success", model)) / seconds, 2),
            "failures_s": round(max(0.0, grown("ovms_requests_fail", model)) / seconds, 2),
            "latency_ms": mean_ms("ovms_request_time_us", model),
            "inference_ms": mean_ms("ovms_inference_time_us", model),
            "waiting": int(after.get(("ovms_current_requests", *model), 0)),
        }
        for model in {(name, version) for _, name, version in after}
    }
