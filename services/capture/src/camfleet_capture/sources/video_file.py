"""A video file, over and over, paced by its time stamps or by its readers."""

import itertools
import stat
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import av

from camfleet_capture.access_unit import CLOCK_HZ, AccessUnit
from camfleet_capture.alteration import NOTHING, Alteration
from camfleet_capture.coding import VideoPacket, open_coder
from camfleet_capture.errors import SourceEnded, SourceMissing, SourceUnreadable
from camfleet_capture.sources.base import Loop
from camfleet_capture.sources.clock import Pacer
from camfleet_capture.sources.container import Opening, describe
from camfleet_capture.sources.film_turn import FilmTurn
from camfleet_capture.stop import Stop

FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,m4v,h264,hevc,mjpeg,flv,ivf,"
    "obu,ogg,asf,gif,mxf,dv"
)

_HIDDEN_SHARE = 0.001  # of their time in which pictures pass that an edit list cuts off in front
_AHEAD = 8  # pictures that are read and copied together, while the caches hold what that takes


class _TimedPacket(NamedTuple):
    """A packet and its times in seconds of the file."""

    packet: VideoPacket
    shown_s: float
    decoded_s: float
    duration_s: float


class _Round:
    """One reading of the file, placed on the axis of time.monotonic().

    Args:
        starts_at: when its first picture shows; None when the first packet is due at once.
    """

    def __init__(self, first: _TimedPacket, starts_at: float | None) -> None:
        lead_s = first.shown_s - first.decoded_s
        self.starts_at = time.monotonic() + lead_s if starts_at is None else starts_at
        self.offset_s = self.starts_at - first.shown_s
        self.ends_at = self.starts_at

    def reach(self, packet: _TimedPacket) -> None:
        """Know that the round lasts at least to the end of this picture."""
        self.ends_at = max(self.ends_at, self.offset_s + packet.shown_s + packet.duration_s)


class VideoFile:
    """Reads the file anew each round, so that a replaced file shows up and a deleted one fails."""

    note: str | None = None

    def __init__(
        self,
        path: Path,
        alteration: Alteration = NOTHING,
        *,
        loops: bool = True,
        real_time: bool = True,
    ) -> None:
        self._alteration, self._loops, self._real_time = alteration, loops, real_time
        self._path = path
        self._opening = Opening(f"file:{path}", f"file {path.name}", FORMATS, "file")
        self._turn = FilmTurn(path, self._opening)
        self._open()
        self.loop: Loop | None = None

    def units(self, stop: Stop) -> Iterator[AccessUnit]:
        """Yield the file's pictures, round after round on one monotonic time axis."""
        pacer = Pacer(stop, real_time=self._real_time)
        starts_at: float | None = None
        for count in itertools.count():
            reading = yield from self._show_round(count, starts_at, pacer)
            if reading is None:
                return
            if not self._loops:
                pacer.wait(reading.ends_at)
                raise SourceEnded(f"{self._opening.label}: played to its end (loop: false)")
            starts_at = reading.ends_at
            self._container.close()
            self._open()

    def truth(self) -> dict[str, Any] | None:
        """Return None: nobody knows what a file shows."""
        return None

    def close(self) -> None:
        """Close the file."""
        self._container.close()

    def _show_round(
        self, count: int, starts_at: float | None, pacer: Pacer
    ) -> Generator[AccessUnit, None, _Round | None]:
        """Show the file once; returns None when stopped."""
        reading: _Round | None = None
        pictures = 0
        for ahead in self._ahead():
            reading = reading or _Round(ahead[0][0], starts_at)
            shift_s = pacer.shift_s
            offset_s = reading.offset_s + shift_s
            coded = [(pair[0], tuple(self._code(*pair, offset_s))) for pair in ahead]
            for packet, units in coded:
                if not pacer.wait(reading.offset_s + packet.decoded_s):
                    return None
                self._tell_loop(count, reading.starts_at + shift_s)
                reading.reach(packet)
                pictures += len(units)
                yield from units
        for unit in self._coder.finish():
            pictures += 1
            yield unit
        if reading is None or not pictures:
            raise SourceUnreadable(f"{self._opening.label}: holds no picture that can be read")
        return reading

    def _tell_loop(self, count: int, started_at: float) -> None:
        if self.loop is None or self.loop.started_at != started_at:
            self.loop = Loop(count, started_at)

    def _open(self) -> None:
        _check_kind(self._path)
        self._container, self._stream = self._opening.open()
        alteration = self._alteration.turned(self._turn.quarters())
        self._coder = open_coder(self._stream, alteration)
        self.details = describe(self._stream, self._coder, alteration)

    def _ahead(self) -> Iterator[list[tuple[_TimedPacket, _TimedPacket | None]]]:
        """Yield packets in the groups in which they are coded, each with the one after it."""
        packets = _with_next(self._packets())
        while group := list(itertools.islice(packets, _AHEAD if self._coder.copies else 1)):
            yield group

    def _code(
        self, packet: _TimedPacket, following: _TimedPacket | None, offset_s: float
    ) -> Iterator[AccessUnit]:
        shown_at = offset_s + packet.shown_s
        next_ticks = round((offset_s + following.shown_s) * CLOCK_HZ) if following else None
        ticks = round(shown_at * CLOCK_HZ)
        yield from self._coder.code(packet.packet, ticks, shown_at, next_ticks)

    def _packets(self) -> Iterator[_TimedPacket]:
        step = 1 / (self.details.fps or 25.0)
        follows_s = 0.0  # when a packet without a time is decoded
        base = float(self._stream.time_base or 0)  # a Fraction: not for every packet anew
        try:
            for packet in self._container.demux(self._stream):
                if not packet.size:
                    continue
                decoded_s = packet.dts * base if packet.dts is not None else follows_s
                shown_s = packet.pts * base if packet.pts is not None else decoded_s
                if shown_s < 0 and packet.is_discard:
                    shown_s, decoded_s = shown_s * _HIDDEN_SHARE, decoded_s * _HIDDEN_SHARE
                duration_s = packet.duration * base if packet.duration else step
                follows_s = decoded_s + duration_s
                yield _TimedPacket(packet, shown_s, decoded_s, duration_s)
        except av.error.FFmpegError:
            return  # the rest of the file is broken: show again what can be read


def _check_kind(path: Path) -> None:
    """Refuse what is not a file: opening a named pipe waits for a writer, maybe for ever."""
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, PermissionError):
        return  # opening says these in its own words
    except OSError as error:
        raise SourceMissing(f"file {path.name}: {error.strerror}; check the path") from error
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        kind = "a named pipe" if stat.S_ISFIFO(mode) else "a device or socket"
        raise SourceUnreadable(
            f"file {path.name}: is {kind}, and only files can be played; name a file, "
            "or the address of a server (rtsp://, http://) that has the pictures"
        )


def _with_next(
    packets: Iterator[_TimedPacket],
) -> Iterator[tuple[_TimedPacket, _TimedPacket | None]]:
    """Yield every packet with the one after it, None for the last."""
    current = next(packets, None)
    while current is not None:
        following = next(packets, None)
        yield current, following
        current = following
