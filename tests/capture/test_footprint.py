"""What capture holds in memory: what copying needs, and no more."""

import subprocess
import sys
from pathlib import Path

import httpx

from fakes_capture import camera_lines
from processes import running

NOT_NEEDED = {"numpy", "PIL.ImageDraw", "prometheus_client", "rich.console", "websockets"}


def test_a_copied_camera_loads_only_what_copying_needs(tmp_path: Path, clip: Path) -> None:
    file = tmp_path / "cameras.yaml"
    file.write_text(camera_lines(one=str(clip)))
    command = ["python", "-X", "importtime", "-m", "camfleet_capture", "--cameras", str(file)]
    command += ["--rtsp-port", "0", "--http-port", "0"]
    with running(*command, env={"CAMFLEET_STATE": str(tmp_path)}) as service:
        address = service.logged(r"listening rtsp=\S+ http=(\S+)")[1]
        service.logged("camera live")
        assert httpx.get(f"http://{address}/cameras", timeout=60).is_success
        loaded = {line.rpartition("|")[2].strip() for line in service.lines}
    assert {"av", "uvicorn"} <= loaded
    assert not loaded & NOT_NEEDED


def test_looks_and_snapshots_load_no_numpy() -> None:
    modules = "camfleet_capture.service, camfleet_capture.pictures.look, camfleet_capture.snapshot"
    asking = f"import sys, {modules}; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", asking], check=False).returncode == 0


def test_freed_memory_goes_back_to_the_system() -> None:
    """32 MB in pieces that glibc keeps when they are free, because a later one is not."""
    asking = """
import re
from pathlib import Path
from camfleet_capture.memory import give_back

def held_kb():
    rollup = Path("/proc/self/smaps_rollup").read_text()
    return int(re.search(r"Anonymous: +(\\d+)", rollup)[1])

pieces = [bytes(4000) for _ in range(8000)]
pieces = pieces[-1]
before = held_kb()
give_back()
print(before - held_kb())
"""
    told = subprocess.run([sys.executable, "-c", asking], check=True, capture_output=True)
    assert int(told.stdout) > 24_000
