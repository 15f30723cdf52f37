"""How soon the model server follows its volume, and what that costs.

Usage: python benchmarks/bench_server_reload.py
           [--model FOLDER] [--rounds N] [--reloads N] [--idle S]

Overhead is the time from the publishing rename to the first answer of the new version, less what
compiling and warming up (and, for new content, the probe) took in that very reload. `--reloads 200`
adds the memory slope, `--idle 20` readiness, memory and idle cost. Where a volume does not notify,
the poll adds up to --file_system_poll_wait_seconds.
"""

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import psutil
from tritonclient import grpc
from tritonclient.utils import triton_to_np_dtype

from camfleet_contracts.volume import publish_version, versions_of

ROOT = Path(__file__).resolve().parent.parent
NAME = "swapped"
LIMIT_S = 120.0
SERVED_BESIDE = 20  # models on the volume while idling
LEFT_OUT = 50  # reloads until memory has found its level


@dataclass
class Server:
    """A running server and its log."""

    process: subprocess.Popen[str]
    started_at: float
    lines: list[str] = field(default_factory=list)

    def read(self) -> None:
        assert self.process.stderr is not None
        self.lines.extend(iter(self.process.stderr.readline, ""))

    def find(self, pattern: str) -> str | None:
        return next((m[1] for line in self.lines if (m := re.search(pattern, line))), None)


@contextmanager
def serving(volume: Path, *options: str) -> Iterator[Server]:
    """Run the server on a volume until the block ends."""
    command = [str(Path(sys.executable).parent / "camfleet-server")]
    command += ["--config_path", str(volume / "config.json"), "--port", "auto"]
    command += ["--rest_port", "auto", "--cache_dir", str(volume / ".cache"), *options]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    server = Server(process, time.perf_counter())
    threading.Thread(target=server.read, daemon=True).start()
    try:
        yield server
    finally:
        process.terminate()
        process.wait(30)


def until(condition: Callable[[], object], what: str, pause_s: float = 0.002) -> float:
    """Return on time.perf_counter() when the condition came true."""
    pause, deadline = threading.Event(), time.perf_counter() + LIMIT_S
    while not condition():
        if time.perf_counter() > deadline:
            sys.exit(f"waited {LIMIT_S:g} s in vain for {what}")
        pause.wait(pause_s)
    return time.perf_counter()


def configure(volume: Path, names: list[str]) -> None:
    entries = [{"config": {"name": name, "base_path": name}} for name in names]
    (volume / "config.json").write_text(json.dumps({"model_config_list": entries}))


def publish(
    volume: Path, model: Path, *, is_new: bool, with_sums: bool = True
) -> tuple[int, float]:
    """Publish one more version and return its number and when it was in place."""
    number = max(versions_of(volume / NAME), default=0) + 1

    def fill(folder: Path) -> None:
        shutil.copytree(model, folder, dirs_exist_ok=True)
        if is_new:  # other content for the server, the same model for the runtime
            (folder / "salt.md").write_bytes(os.urandom(16))

    if with_sums:
        publish_version(volume, NAME, number, fill)
    else:
        target = volume / NAME / str(number)
        target.mkdir()
        fill(target)
        (target / "model.json").unlink(missing_ok=True)
    return number, time.perf_counter()


class Asker:
    """Asks for the model again and again."""

    def __init__(self, server: Server) -> None:
        until(lambda: server.find(r"grpc=(\S+)"), "the port")
        self._client = grpc.InferenceServerClient(str(server.find(r"grpc=([^ ]+)")))
        until(lambda: self._client.is_model_ready(NAME), "the first version")
        (tensor,) = self._client.get_model_metadata(NAME).inputs
        shape = [1 if size < 0 else size for size in tensor.shape]
        self._input = grpc.InferInput(tensor.name, shape, tensor.datatype)
        self._input.set_data_from_numpy(np.zeros(shape, triton_to_np_dtype(tensor.datatype)))

    def answers_as(self, version: int) -> bool:
        """Ask once; True when this version answered."""
        return self.version() == version

    def version(self) -> int:
        """Ask once; the version that answered."""
        answer = self._client.infer(NAME, [self._input]).get_response()
        return int(answer.model_version)


def load_seconds(server: Server) -> float:
    """All time spent so far on trying out, loading and warming up, from the metrics."""
    text = scrape(server)
    found = re.findall(r"^camfleet_(?:load|probe)_seconds_sum\{[^}]*\} (\S+)$", text, re.MULTILINE)
    return sum(map(float, found))


def scrape(server: Server) -> str:
    address = server.find(r"rest=(\S+)")
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=10) as answer:
        text: str = answer.read().decode()
    return text


def overhead_ms(
    server: Server, volume: Path, model: Path, *, is_rested: bool = False, **how: bool
) -> tuple[float, float]:
    """Publish once; return overhead and load time in milliseconds."""
    asker = Asker(server)
    if is_rested:
        until(partial(_is_alone, psutil.Process(server.process.pid)), "the probe to rest", 0.2)
    before_s = load_seconds(server)
    number, published_at = publish(volume, model, **how)
    answered_at = until(partial(asker.answers_as, number), f"version {number}")
    loaded_s = load_seconds(server) - before_s
    return 1000 * (answered_at - published_at - loaded_s), 1000 * loaded_s


def follow(
    model: Path, rounds: int, cases: list[tuple[str, dict[str, bool], float]], *options: str
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        volume = Path(folder)
        configure(volume, [NAME])
        publish(volume, model, is_new=False)
        with serving(volume, *options) as server:
            for what, how, bound_ms in cases:
                runs = [overhead_ms(server, volume, model, **how) for _ in range(rounds)]
                over = sorted(run[0] for run in runs)
                load = statistics.median(run[1] for run in runs)
                median = statistics.median(over)
                sys.stdout.write(
                    f"| {what} | {load:.0f} | **{median:.0f}** | {over[0]:.0f} to {over[-1]:.0f} "
                    f"| {bound_ms:.0f} |\n"
                )


def pss_kb(process: psutil.Process) -> int:
    """The memory of a process and its children, shared pages by their share."""
    total = 0
    for one in (process, *process.children(recursive=True)):
        text = Path(f"/proc/{one.pid}/smaps_rollup").read_text()
        total += _kb(text, "Pss")
    return total


def measure_slope(model: Path, reloads: int) -> None:
    """Memory over many reloads, as the slope of a line through all but the first ones."""
    with tempfile.TemporaryDirectory() as folder:
        volume = Path(folder)
        configure(volume, [NAME])
        publish(volume, model, is_new=False)
        with serving(volume) as server:
            asker, process = Asker(server), psutil.Process(server.process.pid)
            sizes = []
            for _ in range(reloads):
                number, _ = publish(volume, model, is_new=False)
                until(partial(asker.answers_as, number), f"version {number}", 0.01)
                unloaded = rf"(version unloaded model={NAME} version={number - 1})\b"
                until(partial(server.find, unloaded), "the unloading", 0.01)
                shutil.rmtree(volume / NAME / str(number - 1))
                sizes.append(_rss_anon_kb(process.pid))
    kept = sizes[min(LEFT_OUT, reloads // 4) :]
    slope = float(np.polyfit(range(len(kept)), kept, 1)[0])
    sys.stdout.write(
        f"\nMemory over the last {len(kept)} of {reloads} reloads: **{slope:.1f} kB** each "
        f"(bound 20), from {kept[0] / 1000:.0f} to {kept[-1] / 1000:.0f} MB\n"
    )


def _rss_anon_kb(pid: int) -> int:
    text = Path(f"/proc/{pid}/status").read_text()
    return _kb(text, "RssAnon")


def _kb(text: str, name: str) -> int:
    [found] = re.findall(rf"^{name}:\s+(\d+) kB", text, re.MULTILINE)
    return int(found)


def measure_idle(model: Path, seconds: float) -> None:
    """Ready, memory and idle cost: empty, with one model, and with many on the volume."""
    sys.stdout.write("\n| models | ready s | PSS MB | idle % of a core |\n|---|---|---|---|\n")
    for count in (0, 1, SERVED_BESIDE):
        with tempfile.TemporaryDirectory() as folder:
            volume = Path(folder)
            names = [f"m{number}" for number in range(count)]
            configure(volume, names)
            for name in names:
                shutil.copytree(model, volume / name / "1")
            with serving(volume) as server:
                until(partial(server.find, r"rest=(\S+)"), "the port")
                until(partial(_is_ready, server), "readiness", 0.01)
                ready_s = time.perf_counter() - server.started_at
                process = psutil.Process(server.process.pid)
                until(partial(_is_alone, process), "the probe to rest", 0.2)
                before = _cpu_s(process.pid)
                threading.Event().wait(seconds)
                idle = 100 * (_cpu_s(process.pid) - before) / seconds
                pss = pss_kb(process) / 1000
        sys.stdout.write(f"| {count} | {ready_s:.2f} | {pss:.0f} | {idle:.2f} |\n")


def _cpu_s(pid: int) -> float:
    """CPU time of all threads in seconds, finer than the ticks of /proc/<pid>/stat."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def _is_alone(process: psutil.Process) -> bool:
    return not process.children()


def _is_ready(server: Server) -> bool:
    try:
        address = server.find(r"rest=(\S+)")
        with urllib.request.urlopen(f"http://{address}/v2/health/ready", timeout=5):
            return True
    except OSError:
        return False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, default=ROOT / "models" / "demo-street" / "1")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--reloads", type=int, default=0)
    parser.add_argument("--idle", type=float, default=0)
    options = parser.parse_args()
    known = ("known hash", {"is_new": False}, 50.0)
    new = ("new hash", {"is_new": True}, 350.0)
    rested = ("new hash after a rest", {"is_new": True, "is_rested": True}, 350.0)
    by_hand = ("copied by hand, new hash", {"is_new": True, "with_sums": False}, 850.0)
    sys.stdout.write(
        f"\n### Reload of {options.model.parent.name}; load {os.getloadavg()[0]:.1f}\n"
    )
    if options.rounds:
        sys.stdout.write("\n| | load ms | overhead ms | spread | bound |\n|---|---|---|---|---|\n")
        follow(options.model, options.rounds, [known, new, rested, by_hand])
    if options.reloads:
        measure_slope(options.model, options.reloads)
    if options.idle:
        measure_idle(options.model, options.idle)


if __name__ == "__main__":
    main()
