"""What the demo street costs, minute by minute: share of a core with x264, and memory.

    python benchmarks/bench_demo_scene.py --minutes 10

Counts the processor time of this process, so that other work on the machine disturbs little.
"""

from __future__ import annotations

import argparse
import os
import time
from fractions import Fraction
from pathlib import Path

import av

from camfleet_capture.demo import FRAMES_PER_SECOND, StreetScene
from camfleet_capture.demo.lamps import GLOWS
from camfleet_capture.demo.sprites import DRAWINGS, SPRITES


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=int, default=10, help="length of the film")
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    begun = time.process_time()
    scene = StreetScene(options.seed)
    scene.frame(0.0)
    print(f"first frame {1000 * (time.process_time() - begun):.0f} ms, {memory()}")
    for minute in range(options.minutes):
        rendered_ms, encoded_ms = film(scene, 60.0 * minute, 60.0)
        share = (rendered_ms + encoded_ms) * FRAMES_PER_SECOND / 10
        print(
            f"minute {minute + 1:3d}: render {rendered_ms:5.1f} ms, encode {encoded_ms:4.1f} ms,"
            f" {share:4.1f} % of a core at {FRAMES_PER_SECOND} fps, {memory()}",
            flush=True,
        )


def memory() -> str:
    """Resident memory of this process, and what the caches of the scene hold."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    resident_mb = pages * os.sysconf("SC_PAGE_SIZE") / 1e6
    held = "+".join(f"{cache.held_bytes / 1e6:.1f}" for cache in (SPRITES, DRAWINGS, GLOWS))
    return f"resident {resident_mb:4.0f} MB, held {held} MB"


def film(scene: StreetScene, first_s: float, seconds: float) -> tuple[float, float]:
    """Processor milliseconds per frame of rendering and of encoding."""
    count = int(seconds * FRAMES_PER_SECOND)
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = 640, 360, "yuv420p"
    encoder.time_base = Fraction(1, FRAMES_PER_SECOND)
    encoder.options = {"preset": "ultrafast", "tune": "zerolatency", "threads": "1"}
    rendered_s = encoded_s = 0.0
    for index in range(count):
        begun = time.process_time()
        picture = scene.frame(first_s + index / FRAMES_PER_SECOND)
        between = time.process_time()
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts = index
        encoder.encode(frame)
        rendered_s += between - begun
        encoded_s += time.process_time() - between
    return 1000 * rendered_s / count, 1000 * encoded_s / count


if __name__ == "__main__":
    main()
