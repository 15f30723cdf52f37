"""What the outbox writes to a disk for each byte of an event, at the rates of quiet and busy boxes.

    python benchmarks/bench_outbox_bytes.py [--seconds 60] [--folder DIR]

Each row is a process of its own with an outbox of its own; all run at once, start and end left out.
Bytes are those that the kernel says the process made dirty (`write_bytes` of /proc/self/io), which
a disk in memory does not count; `--folder` therefore has to lie on a real one. The journal of the
file system is not in them.
"""

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import NamedTuple

from camfleet.service.events.outbox import Outbox
from camfleet_contracts.clock import now_utc
from camfleet_contracts.events import Envelope, OccurrenceEvent, Origin, Times, envelope

SINK = "broker"


class Load(NamedTuple):
    """How an outbox is used."""

    cameras: int
    rate: float  # events a second, of all cameras together
    has_sink: bool


LOADS = (Load(1, 0.2, False), Load(1, 1, False), Load(1, 1, True), Load(4, 4, False))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="length of a measurement")
    parser.add_argument("--folder", type=Path, help="where the outboxes lie meanwhile")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(measure(Load(*json.loads(options.child)), options)))
        return
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        print_table(Path(folder), options.seconds)


def print_table(folder: Path, seconds: float) -> None:
    children = [started(load, folder / str(number), seconds) for number, load in enumerate(LOADS)]
    print("| cameras | events a second | a sink follows | bytes per event | of an event | MB/h |")
    print("|---|---|---|---|---|---|")
    for load, child in zip(LOADS, children, strict=True):
        told = json.loads(child.communicate()[0])
        if not told["written"]:
            raise SystemExit(f"{folder} lies in memory: give a --folder on a disk")
        each, per_hour = told["written"] / told["events"], told["written"] / told["seconds"] * 3600
        ratio = told["written"] / told["text"]
        sink = "yes" if load.has_sink else "no"
        figures = f"{each:.0f} | {ratio:.1f} times | {per_hour / 1e6:.1f}"
        print(f"| {load.cameras} | {load.rate:g} | {sink} | {figures} |", flush=True)


def started(load: Load, folder: Path, seconds: float) -> subprocess.Popen[str]:
    folder.mkdir()
    options = (f"--folder={folder}", f"--seconds={seconds}", f"--child={json.dumps(load)}")
    return subprocess.Popen([sys.executable, __file__, *options], stdout=subprocess.PIPE, text=True)


def measure(load: Load, options: argparse.Namespace) -> dict[str, float]:
    """Events at that rate, as crossings of a line."""
    seen = threading.Event()
    with contextlib.closing(Outbox(options.folder / "outbox.db", seen.set)) as outbox:
        if load.has_sink:
            outbox.cursors.open(SINK)
        append(outbox, load, seen, 0)
        before, count = written_bytes(), max(1, round(load.rate * options.seconds))
        for number in range(1, count + 1):
            threading.Event().wait(1 / load.rate)
            append(outbox, load, seen, number)
        text = sum(len(one.text) for one in outbox.read(1, count))
    return {
        "written": written_bytes() - before,
        "events": count,
        "seconds": count / load.rate,
        "text": text,
    }


def append(outbox: Outbox, load: Load, seen: threading.Event, number: int) -> None:
    position = outbox.newest
    seen.clear()
    outbox.append(crossing(f"camera-{number % load.cameras}", number))
    if not seen.wait(60):
        raise SystemExit(f"event {number} was not committed within 60 s")
    if load.has_sink:
        outbox.cursors.advance(SINK, outbox.read(position, 1))


def crossing(camera: str, number: int) -> Envelope:
    totals = {"count_in": number, "count_out": number, "count_error": 1.5}
    where = {"line": "gate", "direction": "in", "speed": None}
    happened = OccurrenceEvent(
        event_label="line_crossed", object_label="car", object_id=number, data=where | totals
    )
    return envelope(happened, Origin("box", camera), Times(now_utc(), now_utc()))


def written_bytes() -> int:
    fields = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(fields["write_bytes"])


if __name__ == "__main__":
    main()
