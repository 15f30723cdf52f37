"""The `camfleet-capture` command."""

import argparse
import asyncio
import sys
from importlib.metadata import version
from pathlib import Path

from camfleet_capture.errors import PortTaken
from camfleet_capture.memory import share_one_heap
from camfleet_capture.service import CaptureOptions, run_service
from camfleet_contracts.access import RefusedToListen
from camfleet_contracts.files import FolderNotWritable
from camfleet_contracts.key_entries import BadKeyFile
from camfleet_contracts.logs import configure_logs
from camfleet_contracts.settings import (
    BadSettings,
    FleetSettings,
    process_environment,
    read_settings,
)

_HIGHEST_PORT = 65535
_DESCRIPTION = """\
Turn every camera of cameras.yaml into an RTSP stream for any number of readers.

A source is a video file (shown in a loop), a folder of images, a camera device (/dev/video0 or
auto), a network camera (rtsp://, http://), or demo:street. H.264 is passed on as it is, everything
else is encoded. The file is followed while the service runs.
"""
_EXAMPLES = """\
examples:
  camfleet-capture --cameras cameras.yaml
  camfleet-capture --cameras cameras.yaml --bind 0.0.0.0     (needs TLS or ALLOW_CIDR, see docs)
  ffplay rtsp://127.0.0.1:8554/<camera>                      the first camera is also at /server
  curl http://127.0.0.1:8553/cameras                         state of all cameras
"""


def main(arguments: list[str] | None = None) -> None:
    """Run the service until SIGTERM or SIGINT; exit code 1 when it cannot listen."""
    try:
        settings = read_settings()
    except BadSettings as error:
        sys.exit(f"camfleet-capture: {error}")
    options = _parse(settings, arguments)
    configure_logs("capture", settings.log_level)
    share_one_heap()
    try:
        asyncio.run(run_service(options))
    except (PortTaken, RefusedToListen, FolderNotWritable, BadKeyFile) as error:
        sys.exit(f"camfleet-capture: {error}")


def _parse(settings: FleetSettings, arguments: list[str] | None) -> CaptureOptions:
    parser = argparse.ArgumentParser(
        "camfleet-capture",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    told = f"camfleet-capture {version('camfleet-capture')}"
    add("--version", action="version", version=told, help="print it and end")
    add("--cameras", type=Path, default=settings.cameras_file, help="cameras.yaml (%(default)s)")
    add("--bind", default="127.0.0.1", help="address to listen on (%(default)s)")
    add("--rtsp-port", type=_port, default=settings.rtsp_port, help="0: any (%(default)s)")
    add("--http-port", type=_port, default=settings.capture_http_port, help="0: any (%(default)s)")
    given = parser.parse_args(arguments)
    return CaptureOptions(
        settings,
        given.cameras,
        given.bind,
        given.rtsp_port,
        given.http_port,
        process_environment(),  # credentials of cameras name variables of their own
    )


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > _HIGHEST_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port (0 to {_HIGHEST_PORT})")
    return int(text)


if __name__ == "__main__":
    main()
