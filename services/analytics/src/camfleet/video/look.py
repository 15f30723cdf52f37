"""Open a source once and say what comes: its codec, size, rate and first picture."""

import errno
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
from av.error import FFmpegError
from av.video.frame import VideoFrame

from camfleet.video.addresses import file_address
from camfleet.video.rate import told_rate
from camfleet_contracts.cameras import SourceKind
from camfleet_contracts.redaction import redact
from camfleet_contracts.stream_urls import fault_of_url, unknown_host_of

DIRECT: frozenset[SourceKind] = frozenset({"rtsp", "http", "file", "v4l2"})  # the rest: by capture
_MEASURED_S = 1.5


class NothingCame(Exception):
    """A source gave no picture; the text says why and what next, without any password."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a source delivers."""

    source: str
    codec: str
    width: int
    height: int
    fps: float
    first_picture_s: float
    remark: str | None = None  # of capture, although pictures come


def look_at(address: str, timeout_s: float) -> tuple[Finding, VideoFrame]:
    """Open an address that PyAV knows, and its first picture.

    Raises:
        NothingCame: it cannot be opened, or is no video.
    """
    shown = redact(address)
    if fault := fault_of_url(address):
        raise NothingCame(f"{shown}: {fault}")
    if _is_pipe(address):  # opening it waits for somebody who writes, whatever the time limit
        raise NothingCame(f"{shown}: is a named pipe, and only files can be played; name a file")
    begin = time.monotonic()
    try:
        return _read_pictures(address, shown, begin, timeout_s)
    except (FFmpegError, OSError) as error:
        if "://" in address and error.errno == errno.EIO and (unknown := unknown_host_of(address)):
            raise NothingCame(f"{shown}: {unknown}") from error
        what = error.strerror or str(error) or "nothing came"
        if time.monotonic() - begin >= timeout_s:  # what FFmpeg says then is how it was told to end
            what = f"connected, and no picture within {timeout_s:g} s"
        raise NothingCame(f"{shown}: {what}; {_advice(address)}") from error


def _is_pipe(address: str) -> bool:
    return "://" not in address and Path(address).is_fifo()


def _read_pictures(
    address: str, shown: str, begin: float, timeout_s: float
) -> tuple[Finding, VideoFrame]:
    options = {"rtsp_flags": "prefer_tcp"} if address.startswith("rtsp") else {}
    form = "v4l2" if address.startswith("/dev/") else None
    is_file = form is None and "://" not in address
    opened = file_address(address) if is_file else address
    with av.open(
        opened, format=form, options=options, metadata_errors="replace", timeout=timeout_s
    ) as container:
        if not container.streams.video:
            raise NothingCame(f"{shown}: has no video stream; {_advice(address)}")
        stream = container.streams.video[0]
        pictures = container.decode(stream)
        first = next(pictures, None)
        if first is None:
            raise NothingCame(f"{shown}: ended before a picture came; {_advice(address)}")
        first_s = time.monotonic() - begin
        fps = told_rate(stream) or _measure_fps(pictures)
        codec = stream.codec_context.name
        finding = Finding(shown, codec, first.width, first.height, fps, round(first_s, 3))
        return finding, first


def _measure_fps(pictures: Iterator[VideoFrame]) -> float:
    """Count pictures for a moment: for sources that do not tell their rate."""
    begin, count = time.monotonic(), 0
    for _ in pictures:
        count += 1
        if time.monotonic() - begin > _MEASURED_S:
            break
    return count / max(time.monotonic() - begin, 1e-3)


def _advice(address: str) -> str:
    if address.startswith("/dev/"):
        return (
            "is it plugged in, and not in use by a running fleet? `camfleet doctor` lists cameras"
        )
    if "://" in address:
        return "check host, port, path and credentials, and that this machine reaches it"
    return "check that it is a video file"
