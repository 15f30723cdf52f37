"""GStreamer of the system, where it is installed: its RTSP server as a child."""

import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

from waiting import wait_until

PYTHON = "/usr/bin/python3"  # the one that Debian's bindings belong to
PACKAGES = "python3-gi gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-{base,good,bad}"


@cache
def has_rtsp_server() -> bool:
    """Whether the bindings of GStreamer's RTSP server are there."""
    if not shutil.which(PYTHON):
        return False
    asking = "import gi; gi.require_version('GstRtspServer', '1.0');"
    asking += "from gi.repository import GstRtspServer"
    return subprocess.run([PYTHON, "-c", asking], capture_output=True, check=False).returncode == 0


def need_rtsp_server() -> None:
    if not has_rtsp_server():
        pytest.skip(f"GStreamer's RTSP server not found; apt-get install {PACKAGES}")


class Recorder:
    """A running server that takes pushed streams; notes the times of the pictures it took."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.port = 0
        self.times_ns: list[int] = []
        self._thread = threading.Thread(target=self._read, name="gst-recorder", daemon=True)
        self._thread.start()
        wait_until(lambda: self.port, 60, "GStreamer's RTSP server listens")

    def join(self) -> None:
        """Wait until the ended process has said all."""
        self._thread.join(60)

    def _read(self) -> None:
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        for line in self._process.stdout:
            self.times_ns.append(int(line))


@contextmanager
def gst_recorder(encoding: str, *login: str, port: int = 0) -> Iterator[Recorder]:
    """Run the server until the block ends; `login` is DIGEST or BASIC, user, password."""
    need_rtsp_server()
    script = Path(__file__).with_name("gst_recorder.py")
    command = [PYTHON, str(script), encoding, str(port), *login]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        recorder = Recorder(process)
        try:
            yield recorder
        finally:
            process.kill()
            recorder.join()
