"""Capture and GStreamer's RTSP server as processes that show the same films, and their readers."""

import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import av

GST_PYTHON = "/usr/bin/python3"  # the one that Debian's bindings belong to
_LISTENING = re.compile(r"listening rtsp=(\S+) http=(\S+)")
READING = {"analyzeduration": "100000", "fpsprobesize": "0"}


@dataclass(frozen=True, slots=True)
class Server:
    """A running server; `start_s` passed from its start until it listened."""

    name: str
    pid: int
    address: str
    http: str
    start_s: float

    def url(self, path: str) -> str:
        """Address of a film."""
        return f"rtsp://{self.address}/{path}"

    @property
    def busy_s(self) -> float:
        """Processor seconds of all its threads, to the nanosecond."""
        tasks = Path(f"/proc/{self.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9

    @property
    def memory_mb(self) -> float:
        """Proportional share of its memory."""
        text = Path(f"/proc/{self.pid}/smaps_rollup").read_text()
        match = re.search(r"^Pss: +(\d+)", text, re.MULTILINE)
        return int(match[1]) / 1000 if match else 0.0


@contextmanager
def capture_of(films: Mapping[str, Path | str], folder: Path) -> Iterator[Server]:
    """Run the service with a camera per film or address; all of them are live."""
    folder.mkdir(exist_ok=True)
    cameras = folder / "cameras.yaml"
    entries = [f"  - {{name: {name}, source: {str(file)!r}}}\n" for name, file in films.items()]
    cameras.write_text("version: 1\ncameras:\n" + "".join(entries))
    command = [str(Path(sys.executable).parent / "camfleet-capture"), "--cameras", str(cameras)]
    command += ["--rtsp-port", "0", "--http-port", "0"]
    with _process("capture", command) as (server, lines):
        live = 0
        while live < len(films):
            live += "camera live" in next(lines)
        yield server


@contextmanager
def gst_of(films: Mapping[str, Path | str]) -> Iterator[Server]:
    """Run GStreamer's server; a film or camera begins with its first reader."""
    script = Path(__file__).with_name("gst_rtsp_server.py")
    mounts = [f"{name}={file}" for name, file in films.items()]
    with _process("gst-rtsp-server", [GST_PYTHON, str(script), *mounts]) as (server, _):
        yield server


@contextmanager
def bare_of(films: Mapping[str, Path | str]) -> Iterator[Server]:
    """Read the films at their own pace and do nothing with them: what no server can go below."""
    command = [sys.executable, __file__, *map(str, films.values())]
    with _process("bare demuxer", command) as (server, _):
        yield server


def has_gst() -> bool:
    """Whether GStreamer's RTSP server is there."""
    asking = "import gi; gi.require_version('GstRtspServer', '1.0')"
    try:
        done = subprocess.run([GST_PYTHON, "-c", asking], capture_output=True, check=False)
    except OSError:
        return False
    return done.returncode == 0


@contextmanager
def _process(name: str, command: list[str]) -> Iterator[tuple[Server, Iterator[str]]]:
    begun = time.perf_counter()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as running:
        assert running.stdout is not None
        lines = iter(running.stdout)
        try:
            match = next(m for line in lines if (m := _LISTENING.search(line)))
            start_s = time.perf_counter() - begun
            yield Server(name, running.pid, match[1], match[2], start_s), lines
        finally:
            running.terminate()


@contextmanager
def readers(urls: list[str], transport: str = "tcp") -> Iterator[None]:
    """Read every URL in a thread of this process, which nobody measures, and drop the packets."""
    stop, playing = threading.Event(), threading.Semaphore(0)

    def read(url: str) -> None:
        options = READING | {"rtsp_transport": transport}
        with av.open(url, options=options, timeout=(20, 20)) as container:
            for number, _ in enumerate(container.demux(video=0)):
                if number == 0:
                    playing.release()
                if stop.is_set():
                    return

    with ExitStack() as stack:
        for number, url in enumerate(urls):
            thread = threading.Thread(target=read, args=(url,), name=f"reader-{number}")
            thread.daemon = True
            thread.start()
            stack.callback(thread.join, 10)
            stack.callback(stop.set)  # before any of them is waited for
            # One after the other: GStreamer's server refuses some of 32 that come at once.
            assert playing.acquire(timeout=40), "a reader got no picture"
        yield


def demux_forever(file: str) -> None:
    """Take the packets of a file at its own pace."""
    pause = threading.Event()
    while True:
        begun = time.monotonic()
        with av.open(file) as container:
            for packet in container.demux(video=0):
                if packet.size and packet.dts is not None and packet.time_base is not None:
                    due = begun + float(packet.dts * packet.time_base)
                    pause.wait(max(0.0, due - time.monotonic()))


if __name__ == "__main__":
    sys.stdout.write("listening rtsp=nowhere http=nowhere\n")
    sys.stdout.flush()
    for name in sys.argv[1:]:
        threading.Thread(target=demux_forever, args=(name,), name=name).start()
