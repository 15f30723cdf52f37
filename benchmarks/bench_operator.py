"""The operator's number: four 720p15 cameras, five inferences a second each, one viewer, two cores.

    python benchmarks/bench_operator.py [--cameras 4] [--seconds 20]

Prints the processor time and memory of the whole fleet, capture included, and the seconds from its
start to the first result and the first event at the viewer, who follows the stream and one live
picture. Each camera has a line across and one down.
"""

import argparse
import os
import tempfile
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import films
from measured_fleet import FPS, Entry, Fleet, running_fleet, wait_until
from measured_process import loads
from stream_client import listening, watching

CORES = 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cameras", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=20.0, help="length of the window")
    options = parser.parse_args()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        film = films.write_moving(folder / "moving.mp4")
        cameras = [f"cam{number}" for number in range(options.cameras)]
        makers = [partial(entry, name=one, film=film) for one in cameras]
        fleet = stack.enter_context(running_fleet(folder, *makers))
        delays = stack.enter_context(listening(fleet.page, fleet.key))
        stack.enter_context(watching(fleet.page, fleet.key, cameras[0]))
        wait_until(lambda: delays.first_s.keys() == {"events", "results"}, 120)
        result_s, event_s = (delays.first_s[k] - fleet.began_s for k in ("results", "events"))
        time.sleep(5)
        show(fleet, options.seconds, result_s, event_s)


def entry(fleet: Fleet, name: str, film: Path) -> Entry:
    return fleet.entry(name, film)


def show(fleet: Fleet, seconds: float, result_s: float, event_s: float) -> None:
    services = {
        "capture": fleet.capture,
        "model server": fleet.server,
        "analytics": fleet.analytics,
    }
    before, began = {name: one.busy_s for name, one in services.items()}, time.monotonic()
    time.sleep(seconds)
    elapsed = time.monotonic() - began
    busy = {name: (one.busy_s - before[name]) / elapsed for name, one in services.items()}
    memory = {name: one.memory_mb("Pss") for name, one in services.items()}
    rates = [camera["fps"] for camera in fleet.cameras().values()]
    print(f"\n### {len(rates)} cameras 720p15, {fleet.model.name} at {FPS} fps, one viewer\n")
    print("| | |\n|---|---|")
    print(
        f"| processor time | **{sum(busy.values()):.2f} cores** of {CORES} ({_listed(busy, 2)}) |"
    )
    print(f"| memory (PSS) | **{sum(memory.values()):.0f} MB** ({_listed(memory, 0)}) |")
    print(f"| from the start to the first result; event | {result_s:.1f} s; **{event_s:.1f} s** |")
    print(f"| analysed | {min(rates):.1f} to {max(rates):.1f} a second |")
    print(f"\nload average {loads()}")


def _listed(values: dict[str, float], digits: int) -> str:
    return ", ".join(f"{name} {value:.{digits}f}" for name, value in values.items())


if __name__ == "__main__":
    main()
