"""The model server against the raw runtime and other servers, driven by peer-bench (C++ load).

Usage: python benchmarks/bench_server_peers.py [--models ssd,squeezenet] [--peers triton-py,kserve]

Needs peer-bench (by default ../shared/tools/peer-bench) with its set-up done once: h2load, and one
environment a peer (by default in var/peer-bench). All servers of a model run at once and get
windows by turns; every ratio is taken within one round. Both sides use the runtime's own precision.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parent.parent
LISTENING = re.compile(r"listening grpc=(\S+) rest=(\S+)")


class PeerBench:
    """Where peer-bench is, and the environments of the peers."""

    def __init__(self, folder: Path, venvs: Path) -> None:
        self.folder, self._venvs = folder, venvs
        self._python = venvs / "ours" / "bin" / "python"

    def check(self) -> None:
        """End with what to do when it is not set up."""
        if not self._python.is_file() or shutil.which("h2load") is None:
            sys.exit(
                "peer-bench is not set up: apt-get install nghttp2-client, then "
                f"UV={sys.prefix}/bin/uv sh {self.folder}/setup.sh {self._venvs}"
            )

    def run(self, *arguments: str) -> str:
        """Run its driver and return the table it prints."""
        command = self.command("run", *arguments)
        return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout

    def command(self, *arguments: str) -> list[str]:
        """Return the command line of its driver."""
        command = ["env", f"BENCH_VENVS={self._venvs}", str(self._python)]
        return [*command, str(self.folder / "bench.py"), *arguments]


def model_files(peer_bench: Path) -> dict[str, list[Path]]:
    """Files of each model of peer-bench, by the name it has there."""
    files: dict[str, list[Path]] = {}
    for path in sorted((peer_bench / "models").iterdir()):
        if path.suffix in {".xml", ".bin", ".onnx"}:
            name = path.stem.removeprefix("light_").removeprefix("extra_")
            files.setdefault(name, []).append(path)
    return files


def publish(volume: Path, name: str, files: list[Path]) -> None:
    """Lay out a model volume with one model and a config.json that names it."""
    version = volume / name / "1"
    version.mkdir(parents=True)
    for path in files:
        shutil.copy(path, version)
    (version / "model.json").write_text(json.dumps({"precision": "default"}))
    entry = {"config": {"name": name, "base_path": name}}
    (volume / "config.json").write_text(json.dumps({"model_config_list": [entry]}))


@contextmanager
def serving(volume: Path) -> Iterator[tuple[str, int]]:
    """Run the model server on the volume; yields HOST:PORT of gRPC and its pid."""
    command = [str(Path(sys.executable).parent / "camfleet-server"), "--port", "auto"]
    command += ["--config_path", str(volume / "config.json"), "--rest_port", "auto"]
    command += ["--allow-client-shm"]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert server.stderr is not None
    try:
        found = next(m for line in server.stderr if (m := LISTENING.search(line)))
        threading.Thread(target=server.stderr.read, daemon=True).start()
        wait_until_ready(found[2])
        yield found[1], server.pid
    finally:
        server.terminate()
        server.wait(15)


def wait_until_ready(address: str) -> None:
    """Wait until every model had its first try; ends with the reasons when one failed."""
    pause = threading.Event()
    while True:
        answer = httpx.get(f"http://{address}/readyz", trust_env=False, timeout=30).json()
        if answer["ready"]:
            break
        pause.wait(0.1)
    if answer["faults"]:
        sys.exit("\n".join(answer["faults"]))


def compare(peer_bench: PeerBench, name: str, options: list[str]) -> str:
    """Measure one model beside the peers and return peer-bench's table."""
    with tempfile.TemporaryDirectory() as folder:
        publish(Path(folder), name, model_files(peer_bench.folder)[name])
        with serving(Path(folder)) as (address, pid):
            target = ["--target", f"camfleet={address}:{name}", "--target-pid", f"camfleet={pid}"]
            places = ["--logs", folder, "--out", f"{folder}/result.json"]
            return peer_bench.run("--models", name, "--idle", "5", *target, *places, *options)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--models", default="ssd,squeezenet,resnet50,img300,dummy")
    parser.add_argument("--peers", default="triton-py,kserve")
    parser.add_argument("--conc", default="1,4,16", help="numbers of clients")
    parser.add_argument("--rounds", default="3")
    parser.add_argument("--secs", default="3", help="length of one window")
    shared = ROOT.parent / "shared" / "tools" / "peer-bench"
    parser.add_argument("--peer-bench", type=Path, default=shared)
    parser.add_argument("--venvs", type=Path, default=ROOT / "var" / "peer-bench")
    given = parser.parse_args()
    peer_bench = PeerBench(given.peer_bench, given.venvs)
    peer_bench.check()
    options = ["--peers", given.peers, "--conc", given.conc]
    options += ["--rounds", given.rounds, "--secs", given.secs]
    for name in given.models.split(","):
        sys.stdout.write(compare(peer_bench, name, options))
        sys.stdout.flush()


if __name__ == "__main__":
    main()
