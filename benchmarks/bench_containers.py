"""The fleet in containers on a small box: memory, what it writes, and its start.

    make images && python benchmarks/bench_containers.py [--seconds 60]

Runs the images of `make images` as a project of its own with its own volumes, first without a
camera, then with one and with four of the demo; needs root, to read what processes have written.
Memory is what `docker stats` counts (without the files that the kernel may drop), bytes are those
of the processes and of Docker's log of them; a start is from stopped containers to the first event.
"""

import argparse
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from websockets.sync.client import connect

ROOT = Path(__file__).resolve().parent.parent
PROJECT = "bench-of-camfleet"
SERVICES = ("capture", "model-server", "analytics", "workbench")
KEY = "key-of-the-benchmark"
CAMERAS = "version: 1\ndefaults: {model: demo-street, fps: 5}\ncameras:\n"
CAMERA = """\
- name: street-{number}
  source: demo:street?seed={number}
  pipeline:
    tracker: {{kind: bytetrack}}
    lines: [{{name: gate, from: [0, 0.68], to: [1, 0.68]}}]
"""
PORTS = {
    "RTSP_PORT": 28554,
    "CAPTURE_HTTP_PORT": 28553,
    "GRPC_PORT": 29000,
    "REST_PORT": 28000,
    "STREAMER_PORT": 25000,
    "JUPYTER_PORT": 28888,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="length of a measurement")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        overlay = Path(folder) / "overlay.yml"
        overlay.write_text(json.dumps(overlay_of_images()))
        compose = compose_command(overlay)
        run(*compose, "up", "--detach", "--no-build", *SERVICES)
        try:
            wait_for_event(600)
            print_rows(options.seconds)
            print_start(compose)
        finally:
            run(*compose, "down", "--volumes", "--timeout", "10")


def overlay_of_images() -> dict[str, object]:
    environment = {name: str(port) for name, port in PORTS.items()} | {"CAMFLEET_API_KEY": KEY}
    environment |= {"CAMFLEET_SERVER": f"127.0.0.1:{PORTS['GRPC_PORT']}"}
    images = {service: image_of(service) for service in SERVICES}
    services = {name: {"image": i, "environment": environment} for name, i in images.items()}
    return {"version": "2.4", "services": services}


def image_of(service: str) -> str:
    reference = f"reference=camfleet?{service}:latest"
    found = run("docker", "images", "--quiet", "--filter", reference).split()
    if not found:
        raise SystemExit(f"there is no image of {service}; build it with make images")
    return found[0]


def print_rows(seconds: float) -> None:
    print(f"\n| cameras | {' | '.join(SERVICES)} | written per hour |")
    print("|---" * (len(SERVICES) + 2) + "|")
    for cameras in (0, 1, 4):
        set_cameras(cameras)
        time.sleep(20)  # until queues, caches and pools are what they stay
        before, start = written_bytes(), time.monotonic()
        time.sleep(seconds)
        written = (written_bytes() - before) / (time.monotonic() - start) * 3600
        memory = " | ".join(memory_of(service) for service in SERVICES)
        print(f"| {cameras} | {memory} | {written / 1e6:.1f} MB |", flush=True)


def set_cameras(count: int) -> None:
    """Let there be so many cameras of the demo, each of which counts at its gate."""
    document = CAMERAS + "".join(CAMERA.format(number=number) for number in range(count))
    program = "import pathlib, sys; pathlib.Path('/models/cameras.yaml').write_text(sys.argv[1])"
    empty = document if count else CAMERAS.replace("cameras:", "cameras: []")
    run("docker", "exec", container_of("analytics"), "python", "-c", program, empty)


def memory_of(service: str) -> str:
    stats = ("docker", "stats", "--no-stream", "--format", "{{.MemUsage}}")
    return run(*stats, container_of(service)).partition(" / ")[0]


def written_bytes() -> int:
    """All bytes that processes of the fleet and Docker's logs have written until now."""
    containers = [container_of(service) for service in SERVICES]
    return sum(by_processes(one) + log_size(one) for one in containers)


def by_processes(container: str) -> int:
    pids = run("docker", "top", container, "-eo", "pid").split()[1:]
    return sum(written_by(Path(f"/proc/{pid}/io")) for pid in pids)


def written_by(io: Path) -> int:
    fields = dict(line.split(": ") for line in io.read_text().splitlines())
    return int(fields["write_bytes"])


def log_size(container: str) -> int:
    path = run("docker", "inspect", "--format", "{{.LogPath}}", container)
    return Path(path).stat().st_size


def print_start(compose: Sequence[str]) -> None:
    run(*compose, "stop", "--timeout", "10")
    start = time.monotonic()
    run(*compose, "start")
    wait_for_event(600)
    print(f"\nfrom stopped to the first event: {time.monotonic() - start:.1f} s")


def wait_for_event(timeout_s: float) -> None:
    address = f"ws://127.0.0.1:{PORTS['STREAMER_PORT']}/v1/stream"
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        try:
            with connect(address, additional_headers={"x-api-key": KEY}) as stream:
                while "seq" not in json.loads(stream.recv(deadline - time.monotonic())):
                    pass
                return
        except OSError:
            time.sleep(0.2)
    raise SystemExit(f"no event within {timeout_s} s")


def container_of(service: str) -> str:
    labels = (f"project={PROJECT}", f"service={service}")
    filters = [p for one in labels for p in ("--filter", f"label=com.docker.compose.{one}")]
    return run("docker", "ps", "--quiet", "--no-trunc", *filters)


def compose_command(overlay: Path) -> tuple[str, ...]:
    program = ("docker-compose",) if shutil.which("docker-compose") else ("docker", "compose")
    return (*program, "-p", PROJECT, "-f", str(ROOT / "docker-compose.yml"), "-f", str(overlay))


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: {done.stderr[-2000:]}")
    return done.stdout.strip()


if __name__ == "__main__":
    main()
