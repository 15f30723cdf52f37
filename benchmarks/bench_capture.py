"""What passing films on costs: capture beside GStreamer's RTSP server, or a bare demuxer.

    python benchmarks/bench_capture.py [--seconds 4] [--rounds 3] [--rows h264 mjpeg rtsp ...]

Both show the same films at their own pace, or pass on what one RTSP camera sends, as processes side
by side, so that a noisy machine hurts both; only their own processor time counts. Readers take the
packets over RTSP and drop them.
Without GStreamer (apt-get install python3-gi gir1.2-gst-rtsp-server-1.0
gstreamer1.0-plugins-{base,good,bad}) the bare demuxer is the peer.
"""

import argparse
import json
import statistics
import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import av

from rtsp_films import DRAWN, FPS, number_of, write_h264, write_mjpeg
from rtsp_servers import READING, Server, bare_of, capture_of, gst_of, has_gst, readers

FILM_S = 150
ROWS = ("h264", "mjpeg", "rtsp", "start", "latency")
READERS = ((1, "tcp"), (8, "tcp"), (32, "tcp"), (8, "udp"))
WEBCAMS = 4
TRIES = 5
SKIPPED = 3 * FPS  # what a new reader gets at once to begin with


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=4.0, help="length of a window")
    parser.add_argument("--rounds", type=int, default=3, help="windows per row")
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=ROWS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        film = write_h264(folder / "film.mp4", FILM_S)
        if "h264" in options.rows:
            show_copy({"film": film}, folder, READERS, options)
        if "mjpeg" in options.rows:
            webcam = write_mjpeg(folder / "film.avi", FILM_S)
            films = {f"webcam-{number}": webcam for number in range(WEBCAMS)}
            show_copy(films, folder, ((1, "tcp"),), options)
        if "rtsp" in options.rows:
            with capture_of({"film": film}, folder / "camera") as camera:
                show_copy({"rtsp-camera": camera.url("film")}, folder, READERS[:2], options)
        if "start" in options.rows:
            show_start(film, folder)
        if "latency" in options.rows:
            show_latency(film, folder)


def show_copy(
    films: Mapping[str, Path | str], folder: Path, rows: tuple[tuple[int, str], ...], options: Any
) -> None:
    """Print a table: processor time and memory of both, by number of readers."""
    peer_of, peer_name = (gst_of, "gst-rtsp-server") if has_gst() else (bare_of, "bare demuxer")
    print(f"\n### {len(films)} x {next(iter(films))}, 720p15, copied (% of a core, MB)\n")
    print(f"| readers of each | {peer_name} | capture | ratio | spread | {peer_name} MB | MB |")
    print("|---|---|---|---|---|---|---|")
    for count, transport in rows:
        with capture_of(films, folder) as ours, peer_of(films) as peer:
            urls = [
                server.url(name)
                for server in (peer, ours)
                for name in films
                for _ in range(count)
                if server.address != "nowhere"
            ]
            with readers(urls, transport):
                pairs = [shares(peer, ours, options.seconds) for _ in range(options.rounds)]
                memory = f"{peer.memory_mb:.0f} | {ours.memory_mb:.0f}"
            print(f"{row(f'{count} {transport.upper()}', pairs)} {memory} |", flush=True)


def row(name: str, pairs: list[tuple[float, float]]) -> str:
    ratios = sorted(ours / peer for peer, ours in pairs)
    peer, ours = (statistics.median(side) for side in zip(*pairs, strict=True))
    spread = f"{ratios[0]:.2f} to {ratios[-1]:.2f}"
    return f"| {name} | {peer:.2f} | {ours:.2f} | **{statistics.median(ratios):.2f}** | {spread} |"


def shares(one: Server, other: Server, seconds: float) -> tuple[float, float]:
    """Percent of a core that two servers take in the same window."""
    before, begun = (one.busy_s, other.busy_s), time.perf_counter()
    threading.Event().wait(seconds)
    elapsed = time.perf_counter() - begun
    after = one.busy_s, other.busy_s
    return 100 * (after[0] - before[0]) / elapsed, 100 * (after[1] - before[1]) / elapsed


def show_start(film: Path, folder: Path) -> None:
    """Print from start to listening, and from a new reader to its first picture."""
    print(f"\n### Start and first picture (s, median of {TRIES})\n")
    print("| | listening | first picture |\n|---|---|---|")
    peers = ["capture", "gst-rtsp-server"] if has_gst() else ["capture"]
    for name in peers:
        starts, firsts = [], []
        for _ in range(TRIES):
            with ExitStack() as stack:
                films = {"film": film}
                opened = capture_of(films, folder) if name == "capture" else gst_of(films)
                server = stack.enter_context(opened)
                starts.append(server.start_s)
                with readers([server.url("film")]):  # the film runs, for both
                    firsts.append(first_picture_s(server.url("film")))
        print(f"| {name} | {spread_of(starts)} | {spread_of(firsts)} |", flush=True)


def first_picture_s(url: str) -> float:
    begun = time.perf_counter()
    with av.open(url, options=READING | {"rtsp_transport": "tcp"}, timeout=(20, 20)) as reader:
        reader.streams.video[0].thread_type = "NONE"
        next(reader.decode(video=0))
    return time.perf_counter() - begun


def show_latency(film: Path, folder: Path) -> None:
    """Print how long after its time a picture is there, decoded, at readers of capture."""
    print("\n### From the moment a picture is due to the decoded picture at a reader (ms)\n")
    print("| reader | p50 | p95 |\n|---|---|---|")
    with capture_of({"film": film}, folder) as server:
        for name, agent in (("ours (camfleet)", "camfleet"), ("other FFmpeg readers", "Lavf")):
            late = sorted(lateness_ms(server, agent, 12 * FPS))
            p50, p95 = statistics.median(late), late[len(late) * 95 // 100]
            print(f"| {name} | {p50:.1f} | {p95:.1f} |", flush=True)


def lateness_ms(server: Server, agent: str, count: int) -> list[float]:
    """Milliseconds from when a picture was due, by its number, until it was decoded."""
    state = json.load(urlopen(f"http://{server.http}/cameras/film"))
    began_at = datetime.fromisoformat(state["loop_started_at"]).timestamp()
    options = READING | {"rtsp_transport": "tcp", "user_agent": agent}
    late = []
    with av.open(server.url("film"), options=options, timeout=(20, 20)) as reader:
        reader.streams.video[0].thread_type = "NONE"
        for frame in reader.decode(video=0):
            since_s = time.time() - began_at - number_of(frame) / FPS
            late.append(1000 * (since_s % (DRAWN / FPS)))  # its number comes again and again
            if len(late) == SKIPPED + count:
                break
    return late[SKIPPED:]


def spread_of(times_s: list[float]) -> str:
    return f"{statistics.median(times_s):.2f} ({min(times_s):.2f} to {max(times_s):.2f})"


if __name__ == "__main__":
    main()
