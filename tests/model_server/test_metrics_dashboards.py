"""Every metric and label that dashboards ask for is there: ours, and those made for OVMS."""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from camfleet_server.answer import Call
from camfleet_server.errors import InvalidInput, ModelNotFound, QueueFull
from camfleet_server.metrics import ServerMetrics

DASHBOARD = Path(__file__).parents[2] / "compose" / "grafana" / "model-server.json"
INFER = Call("KServe", "gRPC", "ModelInfer")
OF_OVMS = {
    "ovms_streams": {"name", "version"},
    "ovms_current_requests": {"name", "version"},
    "ovms_infer_req_queue_size": {"name", "version"},
    "ovms_infer_req_active": {"name", "version"},
    "ovms_requests_success": {"api", "interface", "method", "name", "version"},
    "ovms_requests_fail": {"api", "interface", "method", "name"},  # version where it is known
    "ovms_request_time_us_bucket": {"interface", "name", "version", "le"},
    "ovms_request_time_us_sum": {"interface", "name", "version"},
    "ovms_request_time_us_count": {"interface", "name", "version"},
    "ovms_inference_time_us_bucket": {"name", "version", "le"},
    "ovms_inference_time_us_sum": {"name", "version"},
    "ovms_inference_time_us_count": {"name", "version"},
    "ovms_wait_for_infer_req_time_us_sum": {"name", "version"},
    "ovms_wait_for_infer_req_time_us_count": {"name", "version"},
}


def _used_metrics() -> ServerMetrics:
    metrics = ServerMetrics()
    metrics.watch_version("m", 1, slots=lambda: 4, running=lambda: 2, waiting=lambda: 3)
    with metrics.request(INFER, "m") as answer:
        answer.version = 1
    for error in (InvalidInput("no"), QueueFull("m", 8), ModelNotFound("x")):
        with suppress(type(error)), metrics.request(INFER, "m"):
            raise error
    metrics.observe_inference("m", 1, waited_s=0.001, inferred_s=0.002)
    metrics.observe_decoding(0.003)
    metrics.observe_batch("m", 1, 4)
    metrics.count_load("m", "loaded")
    metrics.observe_load("m", probe_s=0.2, load_s=0.1)
    metrics.count_reload("changed")
    return metrics


@pytest.fixture(scope="module")
def labels_by_sample() -> dict[str, set[str]]:
    text = _used_metrics().exposition().replace("# TYPE ovms_requests", "# ovms_requests")
    families = text_string_to_metric_families(text)
    return {sample.name: set(sample.labels) for family in families for sample in family.samples}


def _expressions() -> Iterator[str]:
    document = json.loads(DASHBOARD.read_text())
    for panel in document["panels"]:
        yield from (target["expr"] for target in panel.get("targets", ()))
    yield from (v["query"]["query"] for v in document["templating"]["list"] if v["type"] == "query")


@pytest.mark.parametrize("expression", sorted(_expressions()))
def test_our_dashboard_asks_for_what_there_is(
    expression: str, labels_by_sample: dict[str, set[str]]
) -> None:
    names = re.findall(r"(?:ovms|camfleet)_\w+", expression)
    assert names
    selected = set(re.findall(r"(\w+)=~", expression))
    grouped = {
        label.strip()
        for labels in re.findall(r"by \(([^)]*)\)", expression)
        for label in labels.split(",")
    }
    for name in names:
        assert selected | grouped <= labels_by_sample[name]


@pytest.mark.parametrize("name", OF_OVMS)
def test_what_dashboards_for_ovms_ask_for_is_there(
    name: str, labels_by_sample: dict[str, set[str]]
) -> None:
    assert labels_by_sample[name] == OF_OVMS[name]


def test_counts_of_versions_long_gone_are_dropped() -> None:
    metrics = ServerMetrics()
    for version in range(1, 8):
        metrics.watch_version("m", version, slots=lambda: 4, running=lambda: 0, waiting=lambda: 0)
        with metrics.request(INFER, "m") as answer:
            answer.version = version
        metrics.observe_inference("m", version, waited_s=0, inferred_s=0)
        metrics.forget_version("m", version)
    text = metrics.exposition()
    assert 'version="3"' not in text
    assert 'ovms_requests_success{name="m",version="4"' in text
