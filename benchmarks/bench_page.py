"""What the page costs: viewers of one 720p15 camera by stream copy, and the page's own bytes.

    python benchmarks/bench_page.py [--rounds 5] [--seconds 6]

Windows with no viewer, one and eight take turns, so that what others do to the machine meets all
of them; printed is the median over the rounds of what viewers add to analytics' processor time.
Besides: the waits in Debian's Chromium, from the navigation on: for the first picture, and for the
wall of a first visit over a slow line.
"""

import argparse
import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import camfleet
import films
from camfleet_contracts.keys import KeyStore
from measured_fleet import Fleet, running_fleet
from measured_process import loads
from page_openings import first_pictures_ms, first_visits_ms
from stream_client import watching

CAMERA = "cam"
CROWD = 8
OPENINGS = 10
FILM_S = 6.0  # it begins anew: each window of this length sees the same pictures
SERVED = {".html", ".js", ".css", ".svg"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=FILM_S, help="length of a window")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        film = films.write_moving(Path(name) / "moving.mp4", seconds=FILM_S)
        with running_fleet(Path(name), lambda fleet: fleet.entry(CAMERA, film, fps=1)) as fleet:
            fleet.get("/v1/status")
            time.sleep(8)
            rounds = [one_round(fleet, options.seconds) for _ in range(options.rounds)]
            waits_ms = sorted(1000 * first_fragment_s(fleet) for _ in range(9))
            keys = KeyStore(Path(name) / "state" / "keys.json")
            opened = [
                sorted(
                    measure(fleet.page, f"{fleet.page}/login?token={keys.new_login()}", OPENINGS)
                )
                for measure in (first_pictures_ms, first_visits_ms)
            ]
    show(rounds, waits_ms, opened)


def one_round(fleet: Fleet, seconds: float) -> tuple[float, float, float]:
    """Cores of analytics with no viewer, one, and eight."""
    none, one, crowd = (busy(fleet, viewers, seconds) for viewers in (0, 1, CROWD))
    return none, one, crowd


def busy(fleet: Fleet, viewers: int, seconds: float) -> float:
    with ExitStack() as stack:
        for _ in range(viewers):
            stack.enter_context(watching(fleet.page, fleet.key, CAMERA))
        time.sleep(1)
        before, began_s = fleet.analytics.busy_s, time.monotonic()
        time.sleep(seconds)
        return (fleet.analytics.busy_s - before) / (time.monotonic() - began_s)


def first_fragment_s(fleet: Fleet) -> float:
    """From opening the connection to the first picture, with nobody else watching."""
    began_s = time.monotonic()
    with watching(fleet.page, fleet.key, CAMERA) as came:
        while not came:
            time.sleep(0.002)
    return came[0] - began_s


def show(
    rounds: list[tuple[float, float, float]], waits_ms: list[float], opened: list[list[float]]
) -> None:
    none = statistics.median(one[0] for one in rounds)
    alone = statistics.median(one[1] - one[0] for one in rounds)
    crowd = statistics.median(one[2] - one[0] for one in rounds)
    page = Path(camfleet.__file__).parent / "page"
    size = sum(path.stat().st_size for path in page.rglob("*") if path.suffix in SERVED)
    print(f"\n### One camera 720p15, {len(rounds)} rounds\n\n| | |\n|---|---|")
    print(f"| analytics without a viewer (1 fps) | {none:.1%} of a core |")
    print(f"| one viewer adds | **{alone:.2%}** of a core |")
    print(f"| {CROWD} viewers add | **{crowd:.2%}** of a core ({crowd / alone:.1f} times one) |")
    print(
        f"| first fragment after | {statistics.median(waits_ms):.0f} ms (to {waits_ms[-1]:.0f}) |"
    )
    for what, ms in zip(("picture in Chromium", "visit over a slow line"), opened, strict=True):
        if ms:
            print(f"| first {what} after | {statistics.median(ms):.0f} ms (to {ms[-1]:.0f}) |")
    print(f"| all files of the page | {size / 1000:.0f} kB |")
    print(f"\nload average {loads()}")


if __name__ == "__main__":
    main()
