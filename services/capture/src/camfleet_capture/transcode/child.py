"""The process that encodes one stream: access units in at stdin, H.264 4:2:0 out at stdout.

It ends when its input does, so that none outlives the service.
"""

import signal
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO, cast

import av

from camfleet_capture.access_unit import AccessUnit, CodecName
from camfleet_capture.coding.decoding import open_decoder
from camfleet_capture.coding.transcoding import Transcoder
from camfleet_capture.transcode.unit_format import HEAD_BYTES, format_unit, parse_unit, size_of

if TYPE_CHECKING:
    from camfleet_capture.coding.coder import VideoPacket


def main() -> None:
    """Encode until the input ends; the argument is the rate of the pictures."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the service, which ends us
    av.logging.set_level(None)  # a broken picture is no news: it shows
    for unit in encode(read_units(sys.stdin.buffer), float(sys.argv[1])):
        sys.stdout.buffer.write(format_unit(unit))
        sys.stdout.buffer.flush()


def read_units(pipe: BinaryIO) -> Iterator[AccessUnit]:
    """Yield the units of a pipe until it ends."""
    while len(head := pipe.read(HEAD_BYTES)) == HEAD_BYTES:
        size = size_of(head)
        coded = pipe.read(size)
        if len(coded) < size:
            return
        yield parse_unit(head, coded)


def encode(units: Iterator[AccessUnit], fps: float) -> Iterator[AccessUnit]:
    """Yield the pictures anew as one-slice H.264 without delay; a new codec opens a new decoder."""
    codec: CodecName | None = None
    transcoder: Transcoder | None = None
    for unit in units:
        if transcoder is None or unit.codec != codec:
            if transcoder:
                yield from transcoder.finish()
            codec = unit.codec
            transcoder = Transcoder(open_decoder(codec), fps)
        packet = cast("VideoPacket", av.Packet(unit.coded()))
        yield from transcoder.code(packet, unit.ticks, unit.shown_at)
    if transcoder:
        yield from transcoder.finish()


if __name__ == "__main__":
    main()
