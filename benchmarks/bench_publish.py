"""From a data scientist's `publish()` to the first answer of the new version.

Usage: python benchmarks/bench_publish.py [--model FOLDER] [--rounds N]

The helper of the notebooks publishes into the volume of a running server, which is asked without a
pause meanwhile. "First answer" runs from the call; overhead is that less what trying out, compiling
and warming up took in that very reload, and holds copying, sums, trail, rename and the server's
notice. "Returns" is when the helper has the server's word and has tried a picture.
"""

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import threading
import time
from functools import partial
from pathlib import Path

from bench_server_reload import NAME, ROOT, Asker, Server, configure, load_seconds, serving, until
from camfleet_workbench import publish

GATES = ("grpc", "rest")
BOUND_MS = 350.0  # design: one probe, compiling, warming up and 0.3 s + 50 ms


def package_of(model: Path, folder: Path) -> Path:
    """The model as somebody made it anew: other content for the server."""
    package = folder / NAME
    shutil.copytree(model, package)
    (package / "salt.md").write_bytes(os.urandom(16))
    return package


def run_once(server: Server, model: Path) -> tuple[float, float, float]:
    """Publish once; first answer, overhead and return of the helper, in ms after the call."""
    asker = Asker(server)
    before_s, answered_s = load_seconds(server), []
    number = asker.version() + 1

    def watch() -> None:
        answered_s.append(until(partial(asker.answers_as, number), f"version {number}"))

    watcher = threading.Thread(target=watch, name="asker", daemon=True)
    with tempfile.TemporaryDirectory() as folder:
        package = package_of(model, Path(folder))
        watcher.start()
        called_s = time.perf_counter()
        publish(package, NAME)
        returned_s = time.perf_counter()
    watcher.join()
    first_s, loaded_s = answered_s[0] - called_s, load_seconds(server) - before_s
    return 1000 * first_s, 1000 * (first_s - loaded_s), 1000 * (returned_s - called_s)


def point_helper_at(server: Server, volume: Path) -> None:
    grpc, rest = (str(server.find(rf"{kind}=([^ ]+)")).rpartition(":")[2] for kind in GATES)
    places = {"MODELS_DIR": volume, "CAMFLEET_STATE": volume / ".state", "CAMFLEET_CACHE": volume}
    ports = {"GRPC_PORT": grpc, "REST_PORT": rest}
    for name, value in (places | ports).items():
        os.environ[name] = str(value)  # noqa: TID251 - as the fleet tells its notebooks


def measure(model: Path, rounds: int) -> list[tuple[float, float, float]]:
    with tempfile.TemporaryDirectory() as folder:
        volume = Path(folder)
        configure(volume, [NAME])
        shutil.copytree(model, volume / NAME / "1")
        with serving(volume) as server:
            until(partial(server.find, r"rest=(\S+)"), "the port")
            point_helper_at(server, volume)
            run_once(server, model)  # the first call imports what it needs
            return [run_once(server, model) for _ in range(rounds)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, default=ROOT / "models" / "demo-street" / "1")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    runs = measure(options.model, options.rounds)
    load = os.getloadavg()[0]
    sys.stdout.write(f"\n### publish() of {options.model.parent.name}; load {load:.1f}\n\n")
    sys.stdout.write("| from the call to | median ms | spread | bound |\n|---|---|---|---|\n")
    names = ("first answer", "the same less probe, compile, warm-up", "return of the helper")
    for what, values, bound in zip(names, zip(*runs, strict=True), ("", BOUND_MS, ""), strict=True):
        spread = f"{min(values):.0f} to {max(values):.0f}"
        sys.stdout.write(f"| {what} | {statistics.median(values):.0f} | {spread} | {bound} |\n")


if __name__ == "__main__":
    main()
