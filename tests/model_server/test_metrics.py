"""Names, labels and buckets of OVMS, and when series appear."""

from contextlib import suppress

import pytest

from camfleet_server.answer import Call
from camfleet_server.errors import InvalidInput, ModelNotFound, QueueFull
from camfleet_server.metrics import BUCKETS_US, ServerMetrics

INFER = Call("KServe", "gRPC", "ModelInfer")
STATUS = Call("TensorFlowServing", "REST", "GetModelStatus")
LABELS = 'name="m",version="1",api="KServe",interface="gRPC",method="ModelInfer"'


def answered(metrics: ServerMetrics, call: Call = INFER, version: int | None = 1) -> None:
    with metrics.request(call, "m") as answer:
        answer.version = version


def failed(metrics: ServerMetrics, error: Exception, model: str = "m") -> None:
    with suppress(type(error)), metrics.request(INFER, model):
        raise error


def lines_of(metrics: ServerMetrics, name: str) -> list[str]:
    return [line for line in metrics.exposition().splitlines() if line.startswith(name)]


def watched() -> ServerMetrics:
    metrics = ServerMetrics()
    metrics.watch_version("m", 1, slots=lambda: 4, running=lambda: 2, waiting=lambda: 3)
    return metrics


def test_there_are_33_buckets_that_grow_by_1_8() -> None:
    assert len(BUCKETS_US) == 33
    assert BUCKETS_US[:6] == (10, 18, 32, 58, 104, 188)


def test_success_has_the_labels_of_ovms_and_no_suffix() -> None:
    metrics = ServerMetrics()
    answered(metrics)
    assert lines_of(metrics, "ovms_requests_success{") == [f"ovms_requests_success{{{LABELS}}} 1"]
    assert "# TYPE ovms_requests_success counter" in metrics.exposition()


def test_status_requests_have_no_version() -> None:
    metrics = watched()
    answered(metrics, STATUS, version=None)
    labels = 'name="m",api="TensorFlowServing",interface="REST",method="GetModelStatus"'
    assert lines_of(metrics, "ovms_requests_success{") == [f"ovms_requests_success{{{labels}}} 1"]


def test_request_time_is_a_histogram_with_whole_bounds() -> None:
    metrics = ServerMetrics()
    answered(metrics)
    buckets = lines_of(metrics, "ovms_request_time_us_bucket")
    assert buckets[0].startswith(
        'ovms_request_time_us_bucket{interface="gRPC",name="m",version="1",le="10"}'
    )
    assert buckets[-1].endswith('le="+Inf"} 1')
    assert len(buckets) == 34


def test_inference_and_wait_are_recorded_in_microseconds() -> None:
    metrics = ServerMetrics()
    metrics.observe_inference("m", 1, waited_s=0.000_5, inferred_s=0.002)
    assert lines_of(metrics, "ovms_inference_time_us_sum") == [
        'ovms_inference_time_us_sum{name="m",version="1"} 2000'
    ]
    assert lines_of(metrics, "ovms_wait_for_infer_req_time_us_sum") == [
        'ovms_wait_for_infer_req_time_us_sum{name="m",version="1"} 500'
    ]


def test_failures_of_a_known_model_are_counted() -> None:
    metrics = watched()
    failed(metrics, InvalidInput("no"))
    assert lines_of(metrics, "ovms_requests_fail{")[0].endswith("} 1")


@pytest.mark.parametrize("error", [ModelNotFound("x"), InvalidInput("no")])
def test_names_that_are_not_served_make_no_series(error: Exception) -> None:
    metrics = ServerMetrics()
    failed(metrics, error, model="made-up")
    assert "made-up" not in metrics.exposition()


def test_unknown_models_are_counted_without_their_names() -> None:
    metrics = ServerMetrics()
    failed(metrics, ModelNotFound("x"), model="x")
    assert lines_of(metrics, "camfleet_unknown_model_requests_total") == [
        'camfleet_unknown_model_requests_total{interface="gRPC"} 1'
    ]


def test_requests_count_under_the_model_s_own_name_however_it_was_asked_for() -> None:
    metrics = watched()
    with metrics.request(INFER, "./././m.xml") as answer:
        answer.model, answer.version = "m", 1
    failed(metrics, QueueFull("m", 8), model="././m.xml")
    assert "m.xml" not in metrics.exposition()
    assert lines_of(metrics, "ovms_requests_success{")[0].endswith("} 1")
    assert lines_of(metrics, "ovms_requests_fail{")[0].endswith("} 1")


def test_refusals_are_counted_by_reason() -> None:
    metrics = watched()
    failed(metrics, QueueFull("m", 8))
    assert lines_of(metrics, "camfleet_requests_refused_total") == [
        'camfleet_requests_refused_total{name="m",reason="queue_full"} 1'
    ]


def test_gauges_of_a_version_are_asked_at_the_scrape_and_go_with_it() -> None:
    metrics = watched()
    assert lines_of(metrics, "ovms_current_requests{") == [
        'ovms_current_requests{name="m",version="1"} 5'
    ]
    assert lines_of(metrics, "ovms_infer_req_active{") == [
        'ovms_infer_req_active{name="m",version="1"} 2'
    ]
    metrics.forget_version("m", 1)
    assert lines_of(metrics, "ovms_current_requests{") == []


def test_only_the_metrics_of_ovms_that_were_named_are_shown_beside_ours() -> None:
    metrics = ServerMetrics(("ovms_streams",))
    metrics.watch_version("m", 1, slots=lambda: 4, running=lambda: 2, waiting=lambda: 3)
    answered(metrics)
    metrics.count_reload("changed")
    shown = {line.split("{")[0] for line in metrics.exposition().splitlines() if "{" in line}
    assert {name for name in shown if name.startswith("ovms_")} == {"ovms_streams"}
    assert "camfleet_reloads_total" in shown
