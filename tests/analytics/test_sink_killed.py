"""What the log of events holds after analytics was killed, with and without its state."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from waiting import wait_until


class Line(NamedTuple):
    epoch: str
    seq: int
    count_in: int


def run_until_killed(folder: Path, more_lines: int) -> None:
    """Start the writer, let it add some lines to the log, kill it in the middle of its work."""
    wanted = len(log_of(folder)) + more_lines
    writer = Path(__file__).with_name("crossing_writer.py")
    with subprocess.Popen([sys.executable, str(writer), str(folder)]) as process:
        wait_until(lambda: len(log_of(folder)) >= wanted, 60, "events are in the log")
        process.kill()


def log_of(folder: Path) -> list[Line]:
    """The whole lines of the log."""
    file = folder / "events" / "log.jsonl"
    text = file.read_text() if file.is_file() else ""
    whole = [json.loads(line) for line in text.split("\n")[:-1]]
    return [Line(e["epoch"], e["seq"], e["results"]["data"]["count_in"]) for e in whole]


def by_epoch(lines: list[Line], value: Callable[[Line], int]) -> list[list[int]]:
    """The values of each epoch, in the order of the log."""
    epochs = dict.fromkeys(line.epoch for line in lines)
    return [[value(line) for line in lines if line.epoch == epoch] for epoch in epochs]


def test_log_has_no_gap_and_no_false_count_after_kills(tmp_path: Path) -> None:
    run_until_killed(tmp_path, 100)
    run_until_killed(tmp_path, 100)
    for file in tmp_path.glob("outbox.db*"):
        file.unlink()  # started elsewhere, without its state
    run_until_killed(tmp_path, 100)
    [first, second] = by_epoch(log_of(tmp_path), lambda line: line.seq)
    [counted, counted_anew] = by_epoch(log_of(tmp_path), lambda line: line.count_in)
    assert first == counted == list(range(1, len(first) + 1))
    assert second == counted_anew == list(range(1, len(second) + 1))
    assert len(first) >= 200
    assert first[-1] + second[-1] == len(log_of(tmp_path))  # totals over the lost state
