"""A camera at rest: only its key frames are decoded, until somebody wants every picture again.

What is not decoded is kept, from the last key frame on, and decoded on waking: the picture is whole
at once, and not only from the next key frame on.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

import av
import av.error

from camfleet.video.packets import Packet

INTERVALS_KEPT = 5  # a group that was lost on the way makes one interval long


class Rest:
    """What one thread asks of the reader's, and what the reader's tells. No locks: single words."""

    def __init__(self) -> None:
        self.wake_within_s: float | None = None  # key frames at least so often; None: stay awake
        self.is_resting = False  # written by the reader's thread, as what follows
        self.key_interval_s: float | None = None  # between key frames, the median of the last few

    @property
    def obstacle(self) -> str | None:
        """Why there is no rest although it is asked for."""
        allowed_s, interval_s = self.wake_within_s, self.key_interval_s
        if allowed_s is None or interval_s is None or interval_s <= allowed_s:
            return None
        return (
            f"key frames come every {interval_s:.1f} s and `idle` allows {allowed_s:g} s; let the"
            " camera send them more often (I-frame interval), or raise `wake_within_s`"
        )


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture and the time it stands for; at rest the last one stands for what follows it."""

    picture: av.VideoFrame
    pts: int
    is_new: bool = True


class RestingDecoder:
    """Decodes the packets of one connection. Belongs to the reader's thread."""

    def __init__(
        self,
        stream: av.VideoStream,
        rest: Rest,
        refused: Callable[[], None],
        first_pts: int | None = None,
    ) -> None:
        """`refused` is told of every packet that the decoder does not take.

        `first_pts` is when the first picture shows, to which FFmpeg's parser gives no time; None:
        it is left out.
        """
        self._stream, self._rest, self._refused = stream, rest, refused
        self._first_pts = first_pts
        self._group: list[Packet] = []  # from the last key frame on, while at rest
        self._last: Shown | None = None
        self._shown_until: int | None = None  # matters at rest and until it is passed
        self._key_pts: int | None = None
        self._intervals_s: deque[float] = deque(maxlen=INTERVALS_KEPT)
        rest.is_resting, rest.key_interval_s = False, None

    def take(self, packet: Packet) -> list[Shown]:
        """The pictures that a packet completes; at rest the last one again."""
        if packet.is_keyframe:
            self._learn_interval(packet)
        may_rest = self._may_rest(packet)
        if may_rest and (self._rest.is_resting or packet.is_keyframe):
            return self._rest_on(packet)
        return self._wake(packet) if self._rest.is_resting else self._show(self._decode(packet))

    def finish(self) -> list[Shown]:
        """The last pictures, once no packet follows."""
        return self._show(self._drain())

    def _rest_on(self, packet: Packet) -> list[Shown]:
        if not packet.is_keyframe:
            self._group.append(packet)
            return self._repeat(packet)
        rest_of_group = [] if self._rest.is_resting else self._drain()
        self._rest.is_resting, self._group = True, [packet]
        return self._show(rest_of_group + self._decode(packet) + self._drain())

    def _wake(self, packet: Packet) -> list[Shown]:
        group = [] if packet.is_keyframe else self._group
        self._group, self._rest.is_resting = [], False
        pictures = [picture for one in [*group, packet] for picture in self._decode(one)]
        return self._show(pictures)

    def _may_rest(self, packet: Packet) -> bool:
        allowed_s, interval_s = self._rest.wake_within_s, self._rest.key_interval_s
        if allowed_s is None or interval_s is None or interval_s > allowed_s:
            return False
        return self._since_key_s(packet) <= allowed_s

    def _learn_interval(self, packet: Packet) -> None:
        if self._key_pts is not None:
            self._intervals_s.append(self._since_key_s(packet))
            self._rest.key_interval_s = median(self._intervals_s)
        self._key_pts = packet.pts

    def _since_key_s(self, packet: Packet) -> float:
        if packet.pts is None or self._key_pts is None:
            return 0.0
        return float((packet.pts - self._key_pts) * packet.time_base)

    def _repeat(self, packet: Packet) -> list[Shown]:
        if self._last is None or packet.pts is None or packet.pts <= self._last.pts:
            return []
        self._last = Shown(self._last.picture, packet.pts, is_new=False)
        self._shown_until = packet.pts
        return [self._last]

    def _show(self, pictures: list[av.VideoFrame]) -> list[Shown]:
        """Not those whose time was shown already: waking decodes what was repeated for."""
        if pictures and pictures[0].pts is None and self._last is None:
            pictures[0].pts = self._first_pts
        times = [(one, one.pts) for one in pictures if one.pts is not None]
        until = self._shown_until
        shown = [Shown(one, pts) for one, pts in times if until is None or pts > until]
        if shown:
            self._last = shown[-1]
            self._shown_until = self._last.pts if self._rest.is_resting else None
        return shown

    def _decode(self, packet: Packet) -> list[av.VideoFrame]:
        try:
            return packet.decode()
        except av.error.FFmpegError:  # of many kinds, where a packet is damaged: it costs itself
            self._refused()
            return []

    def _drain(self) -> list[av.VideoFrame]:
        """What the decoder holds back for reordering; it begins anew with the next key frame."""
        pictures = self._stream.codec_context.decode(None)
        self._stream.codec_context.flush_buffers()
        for picture in pictures:
            picture.time_base = self._stream.time_base
        return pictures
