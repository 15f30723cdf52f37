"""What rest on key frames saves: two readers of one still camera, one awake and one at rest.

    python benchmarks/bench_idle.py [--seconds 8] [--rounds 5] [--every 1 2 4]

Both read the same stream at the same time, so that a noisy machine hurts both; only the processor
time of the two readers' own threads counts (receiving, handing on, decoding).
"""

import argparse
import statistics
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import numpy as np

from camfleet.service.live import LiveHub
from camfleet.video.reader import CameraReader, rtsp
from rtsp_servers import capture_of

RATE = 15


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=8.0, help="length of a window")
    parser.add_argument("--rounds", type=int, default=5, help="windows per row")
    parser.add_argument("--every", type=float, nargs="+", default=[1, 2, 4], metavar="SECONDS")
    options = parser.parse_args()
    print("\n### A still 1280x720 camera of 15 pictures a second (% of a core)\n")
    print("| key frame every | awake | at rest | ratio | spread |\n|---|---|---|---|---|")
    for every_s in options.every:
        with tempfile.TemporaryDirectory() as folder:
            film = write_film(Path(folder) / "still.mp4", every_s)
            with capture_of({"film": film}, Path(folder)) as server:
                pairs = measure(server.url("film"), every_s, options.seconds, options.rounds)
        print(row(every_s, pairs), flush=True)


def row(every_s: float, pairs: list[tuple[float, float]]) -> str:
    ratios = sorted(awake / resting for awake, resting in pairs)
    awake, resting = (statistics.median(side) for side in zip(*pairs, strict=True))
    spread = f"{ratios[0]:.1f} to {ratios[-1]:.1f}"
    ratio = statistics.median(ratios)
    return f"| {every_s:g} s | {awake:.2f} | {resting:.2f} | **{ratio:.1f}** | {spread} |"


def measure(url: str, every_s: float, seconds: float, rounds: int) -> list[tuple[float, float]]:
    with reading("awake", url) as awake, reading("resting", url) as resting:
        resting.rest.wake_within_s = every_s + 0.5
        while not resting.rest.is_resting:
            threading.Event().wait(0.1)
        return [shares((awake, resting), seconds) for _ in range(rounds)]


def shares(readers: tuple[CameraReader, CameraReader], seconds: float) -> tuple[float, float]:
    before = [busy_s(reader) for reader in readers]
    threading.Event().wait(seconds)
    awake, resting = (
        100 * (busy_s(reader) - begun) / seconds
        for reader, begun in zip(readers, before, strict=True)
    )
    return awake, resting


def busy_s(reader: CameraReader) -> float:
    """Processor seconds of the reader's thread."""
    thread = next(one for one in threading.enumerate() if one.name == f"reader-{reader.name}")
    schedstat = Path(f"/proc/self/task/{thread.native_id}/schedstat")
    return int(schedstat.read_text().split()[0]) / 1e9


@contextmanager
def reading(name: str, url: str) -> Iterator[CameraReader]:
    reader = CameraReader(name, rtsp(lambda: url), LiveHub().camera("still"))
    reader.start()
    try:
        yield reader
    finally:
        reader.stop(10)


def write_film(path: Path, every_s: float) -> Path:
    """A still room with the noise of a sensor in it."""
    random = np.random.default_rng(5)
    room = random.integers(40, 200, (45, 80)).repeat(16, 0).repeat(16, 1)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        stream.options = {"g": str(round(every_s * RATE)), "sc_threshold": "0", "crf": "24"}
        stream.options |= {"tune": "zerolatency", "preset": "veryfast"}
        for number in range(8 * RATE):
            grey = np.clip(room + random.normal(0, 6, room.shape), 0, 255).astype(np.uint8)
            picture = av.VideoFrame.from_ndarray(grey, format="gray").reformat(format="yuv420p")
            picture.pts = number
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return path


if __name__ == "__main__":
    main()
