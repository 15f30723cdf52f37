"""What a version counts, in the terms of Triton."""

import numpy as np
import pytest

from camfleet_server.serving.statistics import Duration, VersionStatistics
from camfleet_server.serving.validation import rows_of
from camfleet_server.types import TensorSpec


def count(statistics: VersionStatistics, **more: int) -> None:
    statistics.succeed(input_s=1e-6, queue_s=2e-6, infer_s=3e-6, output_s=4e-6, **more)


def test_stages_add_up_to_the_whole_request() -> None:
    statistics = VersionStatistics()
    count(statistics)
    count(statistics)
    reading = statistics.read()
    assert (reading.inference_count, reading.execution_count) == (2, 2)
    assert reading.success == Duration(2, 20_000)
    assert reading.queue == Duration(2, 4_000)
    assert reading.compute.compute_infer == Duration(2, 6_000)
    assert reading.last_inference_ms > 0


def test_rows_of_a_request_are_inferences_and_one_execution() -> None:
    statistics = VersionStatistics()
    count(statistics, rows=8, executed_rows=8)
    reading = statistics.read()
    assert (reading.inference_count, reading.execution_count) == (8, 1)
    assert reading.batches[8].compute_infer == Duration(1, 3_000)


def test_requests_of_one_batch_share_an_execution() -> None:
    statistics = VersionStatistics()
    count(statistics, executed_rows=3)
    count(statistics, executed_rows=0)
    count(statistics, executed_rows=0)
    reading = statistics.read()
    assert (reading.inference_count, reading.execution_count) == (3, 1)
    assert (reading.success.count, list(reading.batches)) == (3, [3])


def test_failures_are_no_inferences() -> None:
    statistics = VersionStatistics()
    statistics.fail(0.001)
    reading = statistics.read()
    assert reading.fail == Duration(1, 1_000_000)
    assert (reading.inference_count, reading.success.count) == (0, 0)


@pytest.mark.parametrize(
    ("shape", "rows"), [((-1, 4), 3), ((3, 4), 1), ((-1,), 1), ((), 1)], ids=str
)
def test_rows_are_counted_where_the_batch_is_open(shape: tuple[int, ...], rows: int) -> None:
    given = np.zeros([3 if size == -1 else size for size in shape], np.float32)
    assert rows_of({"x": given}, [TensorSpec("x", "FP32", shape)]) == rows


def test_batch_sizes_beyond_the_first_64_are_counted_by_powers_of_two() -> None:
    statistics = VersionStatistics()
    for rows in range(1, 1001):
        count(statistics, rows=rows, executed_rows=rows)
    batches = statistics.read().batches
    assert list(batches) == [*range(1, 65), 128, 256, 512, 1024]
    assert batches[128].compute_infer.count == 64
    assert sum(stages.compute_infer.count for stages in batches.values()) == 1000
