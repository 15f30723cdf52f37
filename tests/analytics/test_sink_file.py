"""The sink that writes JSON lines, and what all sinks share."""

import asyncio
import gc
import json
import os
import sys
import tracemalloc
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from camfleet.service.events.cursors import Cursor
from camfleet.service.events.journal import MemoryJournal
from camfleet.service.events.stored import Stored
from camfleet.service.sinks.ports import SinkDown
from camfleet.service.sinks.runner import SinkRunner
from sink_bench import SinkBench, crossing, happened, sink_bench
from waiting import wait_until


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[SinkBench]:
    with sink_bench(tmp_path) as made:
        yield made


def seqs(*files: Path) -> list[int]:
    return [json.loads(line)["seq"] for file in files for line in file.read_text().splitlines()]


def test_file_holds_one_event_a_line(bench: SinkBench, tmp_path: Path) -> None:
    sink = bench.start("file", path="deep/events.jsonl", fsync="always")
    bench.publish(crossing(1), crossing(2))
    bench.wait_until_delivered(sink)
    assert seqs(tmp_path / "deep" / "events.jsonl") == [1, 2]


def test_file_is_rotated_before_it_grows_too_large(bench: SinkBench, tmp_path: Path) -> None:
    sink = bench.start("file", path="e.txt", size_bytes=2000, count=2)
    bench.publish(*(crossing(number) for number in range(20)))
    bench.wait_until_delivered(sink)
    files = [tmp_path / name for name in ("e.txt.2", "e.txt.1", "e.txt")]
    kept = seqs(*files)
    assert kept == list(range(kept[0], 21))
    assert max(file.stat().st_size for file in files) <= 2000
    assert sorted(tmp_path.iterdir()) == sorted(files)


def test_a_line_larger_than_a_file_may_be_leaves_no_empty_file(
    bench: SinkBench, tmp_path: Path
) -> None:
    sink = bench.start("file", path="e.txt", size_bytes=1000, count=3)
    bench.publish(happened("note", text="x" * 1000))
    bench.wait_until_delivered(sink)
    assert [file.name for file in tmp_path.iterdir()] == ["e.txt"]


def test_without_older_files_a_full_file_is_begun_anew(bench: SinkBench, tmp_path: Path) -> None:
    sink = bench.start("file", path="e.txt", size_bytes=2000, count=0)
    bench.publish(*(crossing(number) for number in range(20)))
    bench.wait_until_delivered(sink)
    assert (tmp_path / "e.txt").stat().st_size <= 2000
    assert seqs(tmp_path / "e.txt")[-1] == 20
    assert [file.name for file in tmp_path.iterdir()] == ["e.txt"]


def test_events_of_a_new_epoch_follow_those_of_the_former(bench: SinkBench, tmp_path: Path) -> None:
    former = {"epoch": "former", "seq": 7}
    (tmp_path / "e.jsonl").write_text(json.dumps(former) + "\n")
    sink = bench.start("file", path="e.jsonl")
    bench.publish(crossing(1))
    bench.wait_until_delivered(sink)
    assert seqs(tmp_path / "e.jsonl") == [7, 1]


@pytest.mark.parametrize("line", ['{"mine": 1}', "[1]", '{"epoch": "e", "seq": null}'])
def test_lines_of_others_stay_and_events_follow_them(
    bench: SinkBench, tmp_path: Path, line: str
) -> None:
    (tmp_path / "e.jsonl").write_text(line + "\n")
    sink = bench.start("file", path="e.jsonl")
    bench.publish(crossing(1))
    bench.wait_until_delivered(sink)
    others, own = (tmp_path / "e.jsonl").read_text().splitlines()
    assert (others, json.loads(own)["seq"]) == (line, 1)


def test_a_file_that_was_moved_back_with_half_a_line_is_mended(
    bench: SinkBench, tmp_path: Path
) -> None:
    sink = bench.start("file", path="e.jsonl")
    bench.publish(crossing(1))
    bench.wait_until_delivered(sink)
    (tmp_path / "other").write_text('{"half of a li')
    (tmp_path / "other").replace(tmp_path / "e.jsonl")
    bench.publish(crossing(2))
    bench.wait_until_delivered(sink)
    assert seqs(tmp_path / "e.jsonl") == [2]


def test_half_a_line_that_found_no_room_is_cut_off_and_comes_again(
    bench: SinkBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(file: int, line: bytes, whole: Callable[[int, bytes], int] = os.write) -> int:
        return whole(file, line[: lengths.pop()] if lengths and line.startswith(b"{") else line)

    lengths = [10]
    sink = bench.start("file", path="e.jsonl")
    monkeypatch.setattr(os, "write", write)
    bench.publish(crossing(1))
    bench.wait_until_delivered(sink)
    assert seqs(tmp_path / "e.jsonl") == [1]


def test_line_that_a_kill_left_unfinished_is_written_whole(
    bench: SinkBench, tmp_path: Path
) -> None:
    first = bench.start("file", path="e.jsonl")
    bench.publish(crossing(1), crossing(2))
    bench.wait_until_delivered(first)
    first.stop()
    file = tmp_path / "e.jsonl"
    file.write_text(file.read_text()[:-40])
    forget_what_was_delivered(bench)
    bench.start("file", path="e.jsonl")
    bench.publish(crossing(3))
    wait_until(lambda: bench.journal.cursors.get("file").position == 3, 60, "the sink is done")
    assert seqs(file) == [1, 2, 3]


def forget_what_was_delivered(bench: SinkBench) -> None:
    """As after a kill: the cursor is behind what is in the file."""
    bench.journal.cursors._cursors["file"] = Cursor(0, queued=bench.journal.newest)


@pytest.mark.parametrize("left", ["", '{"epoch": "half a li'], ids=["empty", "torn"])
def test_a_kill_right_after_the_rotation_writes_nothing_twice(
    bench: SinkBench, tmp_path: Path, left: str
) -> None:
    first = bench.start("file", path="e.jsonl")
    bench.publish(crossing(1), crossing(2))
    bench.wait_until_delivered(first)
    first.stop()
    file, older = tmp_path / "e.jsonl", tmp_path / "e.jsonl.1"
    file.rename(older)
    file.write_text(left)
    forget_what_was_delivered(bench)
    bench.start("file", path="e.jsonl")
    bench.publish(crossing(3))
    wait_until(lambda: bench.journal.cursors.get("file").position == 3, 60, "the sink is done")
    assert (seqs(older), seqs(file)) == ([1, 2], [3])


def test_file_that_cannot_be_written_is_named_and_tried_again(
    bench: SinkBench, tmp_path: Path
) -> None:
    (tmp_path / "e.jsonl").mkdir()
    sink = bench.start("file", path="e.jsonl")
    bench.publish(crossing(1))
    bench.wait_for_state(sink, "waiting")
    assert sink.state.reason == f"{tmp_path}/e.jsonl: Is a directory"
    (tmp_path / "e.jsonl").rmdir()
    bench.wait_until_delivered(sink)
    assert seqs(tmp_path / "e.jsonl") == [1]


def test_file_that_was_moved_away_is_begun_anew(bench: SinkBench, tmp_path: Path) -> None:
    sink = bench.start("file", path="e.jsonl")
    bench.publish(crossing(1))
    bench.wait_until_delivered(sink)
    (tmp_path / "e.jsonl").rename(tmp_path / "moved.jsonl")
    bench.publish(crossing(2))
    bench.wait_until_delivered(sink)
    assert (seqs(tmp_path / "moved.jsonl"), seqs(tmp_path / "e.jsonl")) == ([1], [2])


def test_last_events_before_a_quiet_time_are_made_safe(
    bench: SinkBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    sink = bench.start("file", path="e.jsonl", fsync="second")
    bench.publish(crossing(1))
    bench.wait_until_delivered(sink)
    wait_until(lambda: len(synced) == 1, 60, "the file is made safe")


def test_full_disk_loses_nothing(bench: SinkBench, tmp_path: Path) -> None:
    (tmp_path / "e.jsonl").symlink_to("/dev/full")
    sink = bench.start("file", path="e.jsonl")
    bench.publish(crossing(1))
    bench.wait_for_state(sink, "waiting")
    assert sink.state.reason == f"{tmp_path}/e.jsonl: No space left on device"
    (tmp_path / "e.jsonl").unlink()
    bench.wait_until_delivered(sink)
    assert seqs(tmp_path / "e.jsonl") == [1]


def test_missing_library_is_the_trouble_of_that_sink_alone(
    bench: SinkBench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "aiomqtt", None)
    monkeypatch.delitem(sys.modules, "camfleet.service.sinks.mqtt", raising=False)
    mqtt, log = bench.start("mqtt", address="mqtt://127.0.0.1:1"), bench.start("file", path="e.txt")
    bench.publish(crossing(1))
    bench.wait_until_delivered(log)
    bench.wait_for_state(mqtt, "unusable")
    assert "aiomqtt is not installed; install it with: pip install" in str(mqtt.state.reason)


class Flaky:
    """A delivery that fails as often as it is told."""

    at_once = 1

    def __init__(self, failures: int) -> None:
        self.failures, self.received = failures, list[int]()

    async def deliver(self, events: Sequence[Stored]) -> int:
        if events and self.failures:
            self.failures -= 1
            raise SinkDown("not now")
        self.received += [event.seq for event in events]
        return 0

    async def wait_lost(self) -> str:
        await asyncio.Event().wait()
        return ""


def runner_of(journal: MemoryJournal, delivery: Flaky) -> SinkRunner:
    @asynccontextmanager
    async def opened() -> AsyncIterator[Flaky]:
        yield delivery

    journal.cursors.open("flaky")
    return SinkRunner("flaky", journal, opened)


def test_sink_is_not_called_connected_before_something_arrived_again() -> None:
    journal, delivery = MemoryJournal(lambda: None), Flaky(failures=2)
    journal.cursors.open("flaky")
    journal.append(crossing(1))
    runner = runner_of(journal, delivery)
    runner.start()
    wait_until(lambda: runner.counts.failures == 1, 60, "the first failure")
    assert (runner.state.state, runner.state.reason) == ("waiting", "not now")
    wait_until(lambda: runner.state.state == "connected", 60, "it arrives")
    runner.stop()
    assert (delivery.received, runner.counts.failures, runner.counts.delivered) == ([1], 2, 1)
    assert (runner.state.reason, runner.state.last_error) == (None, "not now")


def test_memory_is_flat_and_the_bound_kept_while_a_sink_is_down() -> None:
    journal = MemoryJournal(lambda: None, bound=100)
    runner = runner_of(journal, Flaky(failures=10**9))
    runner.start()
    append(journal, 200)
    tracemalloc.start()
    append(journal, 200)
    gc.collect()
    before, _ = tracemalloc.get_traced_memory()
    append(journal, 600)
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    runner.stop()
    assert journal.cursors.get("flaky") == (900, 100, 900)
    assert after - before < 200_000  # 600 events are about 1.2 MB


def append(journal: MemoryJournal, count: int) -> None:
    for number in range(count):
        journal.append(crossing(number))


def test_sink_that_was_down_goes_on_with_the_oldest_that_is_left() -> None:
    journal = MemoryJournal(lambda: None, bound=50)
    journal.cursors.open("flaky")
    append(journal, 200)
    delivery = Flaky(failures=0)
    runner = runner_of(journal, delivery)
    runner.start()
    wait_until(lambda: len(delivery.received) == 50, 60, "what is left is delivered")
    runner.stop()
    assert delivery.received == list(range(151, 201))
    assert journal.cursors.get("flaky") == (200, 0, 150)
