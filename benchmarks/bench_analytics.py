"""The fleet beside the script somebody would write instead: processor time, memory, delay.

    python benchmarks/bench_analytics.py [--seconds 10] [--rounds 3] [--only second scaling]

Both sides open the same RTSP cameras (720p15) at the same time and infer in float32: the same noise
hurts both. The fleet's side is model server and analytics; capture serves both and is told apart.
Processor time is in milliseconds a second, per mille of a core. Ratios are of the time of a picture
that was looked at: a machine that is too busy leaves some out on both sides, and then the other
figures mean little; the rates are in the table.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import films
from measured_fleet import FPS, Fleet, running_fleet
from measured_process import Process, loads, process
from stream_client import Delays, listening

SCRIPT = Path(__file__).resolve().parent / "detection_script.py"
SCALES = (1, 2, 4, 8)
SETTLE_S = 5.0
Rows = list[tuple[str, str, str]]


class Windows:
    """How long to look, and how often."""

    def __init__(self, seconds: float, rounds: int) -> None:
        self.seconds, self.rounds = seconds, rounds

    def shares(self, *busy: Callable[[], float]) -> list[list[float]]:
        """Milliseconds of processor time a second of each, one row a window."""
        time.sleep(SETTLE_S)
        return [self._share(busy) for _ in range(self.rounds)]

    def share(self, busy: Callable[[], float]) -> float:
        """Milliseconds of processor time a second, in one window."""
        time.sleep(SETTLE_S)
        return self._share((busy,))[0]

    def _share(self, busy: tuple[Callable[[], float], ...]) -> list[float]:
        before, began = [read() for read in busy], time.monotonic()
        time.sleep(self.seconds)
        elapsed = time.monotonic() - began
        return [1000 * (read() - first) / elapsed for read, first in zip(busy, before, strict=True)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0, help="length of a window")
    parser.add_argument("--rounds", type=int, default=3, help="windows a row")
    parser.add_argument("--only", nargs="+", choices=ROWS, default=list(ROWS), help="these rows")
    options = parser.parse_args()
    windows = Windows(options.seconds, options.rounds)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with running_fleet(folder) as fleet:
            kind = "a real clip" if films.is_real() else "the demo scene (no shared data here)"
            print(f"\n### Fleet against script: {fleet.model.name}, {FPS} fps, {kind}\n")
            print("| | measured | aim |\n|---|---|---|")
            for row in options.only:
                write_film, measure = ROWS[row]
                show(measure(fleet, write_film(folder / f"{row}.mp4"), windows))
    print(f"\nload average {loads()}")


def show(rows: Rows) -> None:
    for name, measured, aim in rows:
        print(f"| {name} | {measured} | {aim} |")
    sys.stdout.flush()


def script(fleet: Fleet, camera: str, stack: ExitStack, *more: str) -> Process:
    """Start the script on a camera of the fleet."""
    model = fleet.model
    given = (str(model.file), model.kind, str(model.confidence), str(FPS), *more)
    address = f"{fleet.rtsp}/{camera}"
    running = stack.enter_context(process("python", str(SCRIPT), address, *given))
    running.printed("looked")
    return running


def ratio(windows: list[tuple[float, float, float, float]]) -> str:
    """Time and looks of ours, time and looks of theirs, a window."""
    ratios = sorted(
        (ours / our_looks) / (theirs / looks) for ours, our_looks, theirs, looks in windows
    )
    ours, our_looks, theirs, looks = (statistics.median(one) for one in zip(*windows, strict=True))
    spread = f"{ratios[0]:.2f} to {ratios[-1]:.2f}"
    parts = f"{ours:.0f} ms/s at {our_looks / 1000:.1f} fps; {theirs:.0f} at {looks / 1000:.1f}"
    return f"**{statistics.median(ratios):.2f}** ({spread}; {parts})"


def beside_script(fleet: Fleet, film: Path, windows: Windows) -> Rows:
    """Everything on, one listener; and how long events take to it."""
    fleet.follow(fleet.entry("one", film))
    with ExitStack() as stack:
        grabs = script(fleet, "one", stack)
        reads = script(fleet, "one", stack, "--read-all")
        delays = stack.enter_context(listening(fleet.page, fleet.key))
        rows = windows.shares(
            lambda: fleet.busy_s,
            lambda: grabs.busy_s,
            lambda: reads.busy_s,
            lambda: fleet.server.busy_s,
            lambda: fleet.capture.busy_s,
            lambda: fleet.looked("one"),
            lambda: grabs.count("looked"),
            lambda: reads.count("looked"),
        )
        memory = [one.memory_mb() for one in (fleet.analytics, fleet.server, grabs)]
    server, capture = (statistics.median(row[place] for row in rows) for place in (3, 4))
    return [
        ("everything on, to the script", ratio([(r[0], r[5], r[2], r[7]) for r in rows]), "1.2"),
        ("... that converts what it needs", ratio([(r[0], r[5], r[1], r[6]) for r in rows]), ""),
        ("... the model server of it; capture besides", f"{server:.0f}; {capture:.0f} ms/s", ""),
        ("memory of analytics; model server; script", _megabytes(memory), "280 MB"),
        *delay_rows(delays),
    ]


def _megabytes(sizes: list[float]) -> str:
    return "; ".join(f"{size:.0f} MB" for size in sizes)


def delay_rows(delays: Delays) -> Rows:
    events, results, asked = (delays.p95_ms(kind) for kind in ("events", "results", "asked"))
    parts = f"events {events:.0f}, results {results:.0f}, inference {asked:.0f} ms"
    measured = f"inference and **{events - asked:.0f} ms** ({parts})"
    return [("from capture to the client of an event, p95", measured, "and 60 ms")]


def beside_script_when_still(fleet: Fleet, film: Path, windows: Windows) -> Rows:
    """The motion gate, and key frames only, on footage that is still for 70 % of its time."""
    rows: Rows = []
    gate: dict[str, Any] = {"motion": True}
    idle = {"idle": {"after_s": 2, "wake_within_s": 4}}
    for name, wanted in (("motion gate, 70 % still", gate), ("... and `idle`", gate | idle)):
        fleet.follow(fleet.entry("yard", film, **wanted))
        rows.append((name, ratio(beside_reader(fleet, "yard", windows)), "0.6"))
    return [*rows, same_counts(fleet, film, windows)]


def beside_reader(
    fleet: Fleet, camera: str, windows: Windows
) -> list[tuple[float, float, float, float]]:
    with ExitStack() as stack:
        reads = script(fleet, camera, stack, "--read-all")
        rows = windows.shares(
            lambda: fleet.busy_s,
            lambda: fleet.looked(camera),
            lambda: reads.busy_s,
            lambda: reads.count("looked"),
        )
    return [(row[0], row[1], row[2], row[3]) for row in rows]


def same_counts(fleet: Fleet, film: Path, windows: Windows) -> tuple[str, str, str]:
    """Two pipelines read one stream, one with the gate, one without."""
    first, second = fleet.entry("yard", film, motion=True), fleet.entry("yard-all", film)
    address = f"{fleet.rtsp}/yard"
    fleet.follow(first, second | {"detect_source": address})
    before = crossings(fleet)
    time.sleep(max(30.0, windows.seconds * windows.rounds))
    after = crossings(fleet)
    gated, whole = (after[name] - before[name] for name in ("yard", "yard-all"))
    return "crossings counted with the gate; without", f"{gated}; {whole}", "equal"


def crossings(fleet: Fleet) -> dict[str, int]:
    cameras = fleet.cameras().items()
    return {n: sum(sum(line["total"].values()) for line in c["lines"]) for n, c in cameras}


def second_consumer(fleet: Fleet, film: Path, windows: Windows) -> Rows:
    """Another pipeline on the stream of a camera that has one, by turns with the first alone."""
    first = fleet.entry("one", film)
    second = fleet.entry("two", film) | {"detect_source": f"{fleet.rtsp}/one"}
    pairs = []
    for _ in range(windows.rounds):
        fleet.follow(first)
        alone = windows.share(lambda: fleet.busy_s)
        fleet.follow(first, second)
        pairs.append((alone, windows.share(lambda: fleet.busy_s)))
    ratios = sorted(both / alone - 1 for alone, both in pairs)
    one, two = (statistics.median(side) for side in zip(*pairs, strict=True))
    spread = f"{ratios[0]:.2f} to {ratios[-1]:.2f}; {two:.0f} less {one:.0f} ms/s"
    measured = f"**{statistics.median(ratios):.2f}** ({spread})"
    return [("second pipeline on a camera, to the first", measured, "0.3")]


def scaling(fleet: Fleet, film: Path, windows: Windows) -> Rows:
    """Processor time and memory of a camera among 1 to 8."""
    costs: dict[int, float] = {}
    memory: dict[int, float] = {}
    rates: dict[int, float] = {}
    for count in SCALES:
        fleet.follow(*(fleet.entry(f"cam{number}", film) for number in range(count)))
        rows = windows.shares(lambda: fleet.busy_s)
        costs[count] = statistics.median(row[0] for row in rows) / count
        memory[count] = fleet.analytics.memory_mb()
        rates[count] = min(camera["fps"] for camera in fleet.cameras().values())
    deviation = max(abs(cost / costs[1] - 1) for cost in costs.values())
    more = (memory[SCALES[-1]] - memory[1]) / (SCALES[-1] - 1)
    parts = f"{_listed(costs)} ms/s at {_listed(rates, 1)} fps"
    return [
        (f"each of {SCALES} cameras", f"**{100 * deviation:.0f} %** ({parts})", "10 %"),
        ("memory for each further camera", f"**{more:.0f} MB** (first: {memory[1]:.0f})", "15 MB"),
    ]


def _listed(values: dict[int, float], digits: int = 0) -> str:
    return ", ".join(f"{value:.{digits}f}" for value in values.values())


ROWS: dict[str, tuple[Callable[[Path], Path], Callable[[Fleet, Path, Windows], Rows]]] = {
    "script": (films.write_moving, beside_script),
    "still": (films.write_mostly_still, beside_script_when_still),
    "second": (films.write_moving, second_consumer),
    "scaling": (films.write_moving, scaling),
}


if __name__ == "__main__":
    main()
