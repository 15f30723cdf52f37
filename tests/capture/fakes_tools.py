"""The cameras' own tools, as programs for a PATH: they check what they are asked for."""

import sys
from pathlib import Path

import av

_TOOL = """#!{python}
import os, re, sys, time
arguments = sys.argv[1:]
name = os.path.basename(sys.argv[0])
missing = [part for part in {wanted!r} if part not in " ".join(arguments)]
if missing:
    sys.exit(f"{{name}}: unrecognised option: wanted {{missing}} in {{arguments}}")
out = 1
if name == "gst-launch-1.0":
    out = int(re.search(r"fd=([0-9]+)", " ".join(arguments))[1])
    print("GST_ARGUS: Creating output stream", flush=True)  # as the real one, on standard output
mode = {mode!r}
if mode == "no camera":
    sys.exit("ERROR: *** no cameras available ***")
pictures = [open(path, "rb").read() for path in {pictures!r}]
shown = pictures[:4] if mode in ("dies", "hangs") else pictures
for picture in shown:
    os.write(out, picture)
    time.sleep(1 / 30)
if mode == "hangs":
    time.sleep(600)
if mode == "dies":
    sys.exit("ERROR: Device timeout detected, attempting a restart is of no use")
time.sleep(600)
"""

PI_ARGUMENTS = (
    "--camera 1", "--width 320", "--height 64", "--framerate 30", "--codec h264", "--intra 45",
    "--timeout 0", "--output -", "--verbose=0", "--nopreview", "--inline", "--flush",
)  # fmt: skip
JETSON_ARGUMENTS = (
    "-q nvarguscamerasrc sensor-id=1 !", "width=320,height=64,framerate=30000/1000,format=NV12 !",
    "nvv4l2h264enc insert-sps-pps=true iframeinterval=45 idrinterval=1 !",
    "video/x-h264,stream-format=byte-stream,alignment=au ! fdsink fd=", "sync=false",
)  # fmt: skip


def h264_pictures(clip: Path, folder: Path) -> list[str]:
    """Write each picture of a clip as a file of its own, with start codes."""
    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        convert = av.BitStreamFilterContext("h264_mp4toannexb", stream)
        packets = [p for q in container.demux(stream) if q.size for p in convert.filter(q)]
    paths = [folder / f"{number:03d}.h264" for number in range(len(packets))]
    for path, packet in zip(paths, packets, strict=True):
        path.write_bytes(bytes(packet))
    return [str(path) for path in paths]


def put_tool(folder: Path, name: str, pictures: list[str], mode: str = "works") -> None:
    """Put a tool of this name into a folder for PATH."""
    folder.mkdir(exist_ok=True)
    wanted = JETSON_ARGUMENTS if name == "gst-launch-1.0" else PI_ARGUMENTS
    values = {"python": sys.executable, "wanted": wanted, "mode": mode, "pictures": pictures}
    new = folder / f"new-{name}"
    new.write_text(_TOOL.format(**values))
    new.chmod(0o755)
    new.rename(folder / name)  # one that runs may not be written to
