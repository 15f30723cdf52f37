"""Statistics of loaded versions in the words of Triton's statistics extension."""

from collections.abc import Iterable
from typing import Any

from camfleet_server.serving.statistics import (
    ComputeStatistics,
    Duration,
    Statistics,
    StatisticsOfVersion,
)


def model_stats(readings: Iterable[StatisticsOfVersion]) -> dict[str, Any]:
    """Make the answer of the statistics extension, for REST and for ParseDict."""
    return {"model_stats": [_model(reading) for reading in readings]}


def _model(reading: StatisticsOfVersion) -> dict[str, Any]:
    statistics = reading.statistics
    return {
        "name": reading.model,
        "version": str(reading.version),
        "last_inference": statistics.last_inference_ms,
        "inference_count": statistics.inference_count,
        "execution_count": statistics.execution_count,
        "inference_stats": _requests(statistics),
        "batch_stats": [
            {"batch_size": rows, **_stages(compute)} for rows, compute in statistics.batches.items()
        ],
    }


def _requests(statistics: Statistics) -> dict[str, Any]:
    return {
        "success": _duration(statistics.success),
        "fail": _duration(statistics.fail),
        "queue": _duration(statistics.queue),
        **_stages(statistics.compute),
        "cache_hit": _duration(Duration()),
        "cache_miss": _duration(Duration()),
    }


def _stages(compute: ComputeStatistics) -> dict[str, Any]:
    return {
        "compute_input": _duration(compute.compute_input),
        "compute_infer": _duration(compute.compute_infer),
        "compute_output": _duration(compute.compute_output),
    }


def _duration(duration: Duration) -> dict[str, int]:
    return {"count": duration.count, "ns": duration.ns}
