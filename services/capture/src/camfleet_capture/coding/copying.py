"""Coders that pass pictures on untouched."""

from collections.abc import Iterator

from av.video.codeccontext import VideoCodecContext

from camfleet_capture.access_unit import AccessUnit
from camfleet_capture.codecs.jpeg import BrokenJpeg, parse_jpeg
from camfleet_capture.codecs.nal import split_lengths, split_start_codes
from camfleet_capture.codecs.syntax import NalSyntax
from camfleet_capture.coding.coder import VideoPacket
from camfleet_capture.coding.transcoding import Transcoder
from camfleet_contracts.logs import get_logger

logger = get_logger(__name__)


class NalCopier:
    """Passes H.264 or H.265 on, with the parameter sets before every key picture."""

    copies = True

    def __init__(self, syntax: NalSyntax, extradata: bytes | None) -> None:
        self.codec: str = syntax.NAME
        self._syntax = syntax
        self._length_size, header = syntax.parse_header(extradata or b"")
        self._sets: dict[tuple[int, int], bytes] = {}
        self._remember(header)

    def code(
        self, packet: VideoPacket, ticks: int, shown_at: float, next_ticks: int | None = None
    ) -> Iterator[AccessUnit]:
        """Yield the packet's picture, if it holds one."""
        syntax = self._syntax
        nals = self._split(packet)
        kinds = {*map(syntax.nal_type, nals)}
        if not kinds.isdisjoint(syntax.PARAMETER_SETS):
            self._remember(nals)
        if kinds.isdisjoint(syntax.SLICES):
            return
        starts = packet.is_keyframe or not kinds.isdisjoint(syntax.RANDOM_ACCESS)
        is_key = bool(self._sets) and starts
        if is_key:
            rest = [nal for nal in nals if syntax.nal_type(nal) not in syntax.PARAMETER_SETS]
            nals = [nal for _, nal in sorted(self._sets.items())] + rest
        yield AccessUnit(tuple(nals), is_key, ticks, shown_at, next_ticks, syntax.NAME)

    def finish(self) -> Iterator[AccessUnit]:
        """Yield nothing: nothing is held back."""
        yield from ()

    def _split(self, packet: VideoPacket) -> list[bytes]:
        """Return the NAL units worth sending, of either framing."""
        if self._length_size:
            nals = split_lengths(memoryview(packet), self._length_size)
        else:
            nals = split_start_codes(bytes(packet))
        return [nal for nal in nals if self._syntax.nal_type(nal) not in self._syntax.NOT_SENT]

    def _remember(self, nals: list[bytes]) -> None:
        for nal in nals:
            kind = self._syntax.nal_type(nal)
            if kind in self._syntax.PARAMETER_SETS:
                self._sets[kind, self._syntax.parameter_set_id(nal)] = nal


class JpegCopier:
    """Passes JPEG pictures on; from the first one that RTP cannot carry, all are encoded."""

    def __init__(self, decoder: VideoCodecContext, fps: float) -> None:
        self.codec = "mjpeg"
        self._decoder, self._fps = decoder, fps
        self._transcoder: Transcoder | None = None

    @property
    def copies(self) -> bool:
        """Whether all pictures could be passed on so far."""
        return self._transcoder is None

    def code(
        self, packet: VideoPacket, ticks: int, shown_at: float, next_ticks: int | None = None
    ) -> Iterator[AccessUnit]:
        """Yield the picture; a broken one is left out."""
        if self._transcoder:
            yield from self._transcoder.code(packet, ticks, shown_at)
            return
        picture = bytes(packet)
        try:
            obstacle = parse_jpeg(picture).obstacle
        except BrokenJpeg:
            return
        if obstacle:
            self._transcoder = Transcoder(self._decoder, self._fps)
            self.codec = self._transcoder.codec
            logger.info("mjpeg is encoded as h264: RTP cannot carry it", obstacle=obstacle)
            yield from self._transcoder.code(packet, ticks, shown_at)
        else:
            yield AccessUnit((picture,), True, ticks, shown_at, next_ticks, "mjpeg")

    def finish(self) -> Iterator[AccessUnit]:
        """Yield what the encoding holds back."""
        if self._transcoder:
            yield from self._transcoder.finish()
