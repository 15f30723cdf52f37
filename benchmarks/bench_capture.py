"""What passing a film on costs: the capture service against a bare demuxer of the same file.

    python benchmarks/bench_capture.py [FILE] [--seconds 5] [--rounds 5]

Both show the film in a loop at its own pace, as processes side by side, so that a noisy machine
hurts both; only their own processor time counts. Readers take the packets over RTSP and drop them.
"""

import argparse
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame

ROOT = Path(__file__).resolve().parent.parent
REAL_CLIP = ROOT.parent / "shared" / "data" / "media" / "clips" / "crossing-a-1280x720.mp4"
READERS = (("0", 0, "tcp"), ("1 TCP", 1, "tcp"), ("8 TCP", 8, "tcp"), ("8 UDP", 8, "udp"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, help="an H.264 file")
    parser.add_argument("--seconds", type=float, default=5.0, help="length of a window")
    parser.add_argument("--rounds", type=int, default=5, help="windows per row")
    parser.add_argument("--bare", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.bare:
        demux_forever(options.file)
    with tempfile.TemporaryDirectory() as folder:
        given = options.file or (REAL_CLIP if REAL_CLIP.is_file() else None)
        file = given or write_film(Path(folder) / "noise-1280x720.mp4")
        with capture_of(file.resolve(), Path(folder)) as (capture, url), bare(file) as demuxer:
            print(f"\n### Stream copy of {file.name} against a bare demuxer (% of a core)\n")
            print("| readers | bare | capture | ratio | spread |\n|---|---|---|---|---|")
            for name, count, transport in READERS:
                with readers(url, count, transport):
                    pairs = [
                        shares(demuxer, capture, options.seconds) for _ in range(options.rounds)
                    ]
                print(row(name, pairs), flush=True)


def row(name: str, pairs: list[tuple[float, float]]) -> str:
    ratios = sorted(capture / demuxer for demuxer, capture in pairs)
    demuxer, capture = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratio = statistics.median(ratios)
    spread = f"{ratios[0]:.1f} to {ratios[-1]:.1f}"
    return f"| {name} | {demuxer:.2f} | {capture:.2f} | **{ratio:.1f}** | {spread} |"


def shares(one: int, other: int, seconds: float) -> tuple[float, float]:
    """Percent of a core that two processes take in the same window."""
    before, begun = (busy_s(one), busy_s(other)), time.perf_counter()
    threading.Event().wait(seconds)
    elapsed = time.perf_counter() - begun
    after = busy_s(one), busy_s(other)
    return 100 * (after[0] - before[0]) / elapsed, 100 * (after[1] - before[1]) / elapsed


def busy_s(pid: int) -> float:
    """Processor seconds of all threads of a process, to the nanosecond."""
    tasks = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


@contextmanager
def capture_of(file: Path, folder: Path) -> Iterator[tuple[int, str]]:
    """Run the service on the file; yields its process id and the camera's address."""
    cameras = folder / "cameras.yaml"
    cameras.write_text(f"version: 1\ncameras:\n  - {{name: film, source: {str(file)!r}}}\n")
    command = [str(Path(sys.executable).parent / "camfleet-capture"), "--cameras", str(cameras)]
    command += ["--rtsp-port", "0", "--http-port", "0"]
    with process(command) as service:
        assert service.stdout is not None
        address = next(m[1] for line in service.stdout if (m := re.search(r"rtsp=(\S+)", line)))
        next(line for line in service.stdout if "camera live" in line)
        yield service.pid, f"rtsp://{address}/film"


@contextmanager
def bare(file: Path) -> Iterator[int]:
    with process([sys.executable, __file__, "--bare", str(file)]) as demuxer:
        yield demuxer.pid


@contextmanager
def process(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        yield running
    finally:
        running.terminate()
        running.wait(10)


@contextmanager
def readers(url: str, count: int, transport: str) -> Iterator[None]:
    """Read the stream `count` times, each in a thread of this process, which nobody measures."""
    stop, playing = threading.Event(), threading.Semaphore(0)

    def read() -> None:
        options = {"rtsp_transport": transport, "analyzeduration": "100000", "fpsprobesize": "0"}
        with av.open(url, options=options, timeout=(5, 5)) as container:
            for number, _ in enumerate(container.demux(video=0)):
                if number == 0:
                    playing.release()
                if stop.is_set():
                    return

    with ExitStack() as stack:
        for number in range(count):
            thread = threading.Thread(target=read, name=f"reader-{number}", daemon=True)
            thread.start()
            stack.callback(thread.join, 10)
        stack.callback(stop.set)
        for _ in range(count):
            assert playing.acquire(timeout=20), "a reader got no picture"
        yield


def demux_forever(file: Path) -> None:
    """Take the packets of the file at its own pace, and do nothing with them."""
    pause = threading.Event()
    while True:
        begun = time.monotonic()
        with av.open(str(file)) as container:
            for packet in container.demux(video=0):
                if packet.size and packet.dts is not None and packet.time_base is not None:
                    due = begun + float(packet.dts * packet.time_base)
                    pause.wait(max(0.0, due - time.monotonic()))


def write_film(path: Path) -> Path:
    """Ten seconds of noise on grey, 15 pictures a second."""
    chance = np.random.default_rng(7)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=15)
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        stream.options = {"preset": "ultrafast", "tune": "zerolatency", "crf": "30"}
        for _ in range(150):
            picture = chance.normal(128, 12, (720, 1280, 3)).clip(0, 255).astype(np.uint8)
            container.mux(stream.encode(VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return path


if __name__ == "__main__":
    main()
