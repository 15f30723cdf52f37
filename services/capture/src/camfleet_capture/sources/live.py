"""Network cameras, which set the pace themselves, and what HTTP servers have ready."""

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

import av

from camfleet_capture.access_unit import AccessUnit
from camfleet_capture.alteration import NOTHING, Alteration
from camfleet_capture.coding import VideoPacket, open_coder
from camfleet_capture.errors import (
    SourceFault,
    SourceLost,
    SourceMissing,
    SourceStalled,
    SourceUnreadable,
)
from camfleet_capture.sources.base import Loop
from camfleet_capture.sources.clock import LiveClock, PullPacer
from camfleet_capture.sources.container import STALL_LIMIT_S, Opening, describe
from camfleet_capture.sources.film_turn import film_quarters
from camfleet_capture.sources.logins import wants_unknown_digest
from camfleet_capture.sources.redirects import is_endless
from camfleet_capture.stop import Stop
from camfleet_contracts.redaction import redact
from camfleet_contracts.secret_references import Credentials, with_login
from camfleet_contracts.stream_urls import fault_of_url

_HTTP_FORMATS = (
    "mpjpeg,mjpeg,jpeg_pipe,image2,mpegts,hls,mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,flv,h264"
)
_SINGLE = frozenset({"jpeg_pipe", "image2"})  # one picture, then the end
_COUNTED = _SINGLE | {"mpjpeg", "mjpeg", "h264"}  # libavformat takes 25 a second for granted
_SHORTEST_STEP_S = 0.001
_ASKED_EVERY_S = 1.0  # for the next picture, where an address gives one at a time
_SEGMENT_PATIENCE_S = 20.0  # the next segment of HLS comes when it is complete
_RTSP_OPTIONS = {
    "rtsp_flags": "prefer_tcp",
    "allowed_media_types": "video",
    "analyzeduration": "500000",
    "fpsprobesize": "0",
}


class LiveSource:
    """Reads packets as they arrive; those of HLS, and of whole files, when they are due.

    An address that gives one JPEG picture is asked for the next one every second.
    """

    loop: Loop | None = None
    note: str | None = None

    def __init__(self, opening: Opening, alteration: Alteration = NOTHING) -> None:
        self._opening = opening
        self._container, self._stream = opening.open()
        is_hls = self._container.format.name == "hls"
        self._is_single = self._container.format.name in _SINGLE
        self._is_stamped = self._container.format.name not in _COUNTED
        is_film = self._is_stamped and self._container.size > 0  # the server told its length
        self._is_pulled = is_hls or is_film
        if is_hls:
            self._reopen(replace(opening, read_timeout_s=_SEGMENT_PATIENCE_S))
        elif is_film:
            alteration = alteration.turned(film_quarters(self._container, self._stream))
            self._reopen(opening)
        self._base_s = float(self._stream.time_base or 0)  # a Fraction: not for every packet anew
        fps = 1 / _ASKED_EVERY_S if self._is_single else None
        self._coder = open_coder(self._stream, alteration, fps)
        self.details = describe(self._stream, self._coder, alteration)
        self._arrived = 0.0

    def units(self, stop: Stop) -> Iterator[AccessUnit]:
        """Yield pictures as they arrive.

        Raises:
            SourceFault: the connection ended or stalled.
        """
        clock, pacer = LiveClock(), PullPacer(stop)
        while True:
            due = time.monotonic() + _ASKED_EVERY_S
            yield from self._read(stop, clock, pacer)
            if not self._is_single and not stop.is_set():
                raise SourceLost(f"{self._opening.label}: the stream ended")
            if stop.wait(due - time.monotonic()):
                return
            self._reopen(self._opening)

    def truth(self) -> dict[str, Any] | None:
        """Return None: nobody knows what a camera shows."""
        return None

    def close(self) -> None:
        """Close the connection."""
        self._container.close()

    def _read(self, stop: Stop, clock: LiveClock, pacer: PullPacer) -> Iterator[AccessUnit]:
        """Yield the pictures of this connection until it ends, or `stop` is set."""
        try:
            for packet in self._container.demux(self._stream):
                if stop.is_set() or (self._is_pulled and not self._wait(packet, pacer)):
                    return
                if packet.size:
                    ticks, shown_at = clock.place(*self._times(packet))
                    yield from self._coder.code(packet, ticks, shown_at)
        except (av.error.FFmpegError, OSError) as error:
            raise self._opening.fault_of(error) from None  # the original text holds the URL

    def _reopen(self, opening: Opening) -> None:
        self._container.close()
        self._opening = opening
        self._container, self._stream = opening.open()

    def _wait(self, packet: VideoPacket, pacer: PullPacer) -> bool:
        """Wait until a packet is due; False when stopped meanwhile."""
        stamp = packet.dts if packet.dts is not None else packet.pts
        return stamp is None or pacer.wait(stamp * self._base_s)

    def _times(self, packet: VideoPacket) -> tuple[float, float]:
        """Return the source's time of a packet (its arrival where it has none) and its arrival."""
        arrived = self._arrived = max(time.monotonic(), self._arrived + _SHORTEST_STEP_S)
        stamp = packet.pts if packet.pts is not None else packet.dts
        if not self._is_stamped or stamp is None or not self._base_s:
            return arrived, arrived
        return stamp * self._base_s, arrived


def open_network(
    url: str, credentials: Credentials | None = None, alteration: Alteration = NOTHING
) -> LiveSource:
    """Open an RTSP camera, an MJPEG camera or another HTTP stream."""
    secrets = credentials or ()
    label = redact(url, *secrets)
    if fault := fault_of_url(url):
        raise SourceMissing(f"{label}: {fault}")
    full = with_login(url, credentials) if credentials else url
    if url.startswith("rtsp"):
        protocols = "rtp,udp,tcp,tls,rtsp,rtsps"
        options = dict(_RTSP_OPTIONS)
        return _open_rtsp(
            Opening(full, label, "rtsp", protocols, options, secrets=secrets), alteration
        )
    protocols = "http,https,tcp,tls,crypto"
    opening = Opening(
        full,
        label,
        _HTTP_FORMATS,
        protocols,
        options={"pattern_type": "none"},  # of image2: "%2d" in an address stands for no number
        secrets=secrets,
        read_timeout_s=STALL_LIMIT_S,
    )
    return LiveSource(opening, alteration)


def _open_rtsp(opening: Opening, alteration: Alteration) -> LiveSource:
    """Open it, and say of what libav cannot follow or answer what that is.

    One that redirects without end is not opened before that is over.
    """
    try:
        return _open_by_any_way(opening, alteration)
    except SourceStalled as stalled:
        still_holds = partial(is_endless, opening.url)
        if not still_holds():
            raise
        raise SourceMissing(
            f"{opening.label}: sends its readers on and on (redirects); check its settings, "
            "or name the address that has the pictures",
            still_holds=still_holds,
        ) from stalled
    except SourceMissing as refusal:
        if not wants_unknown_digest(opening.url):
            raise
        raise SourceMissing(
            f"{opening.label}: wants a login that FFmpeg does not know (Digest with SHA-256); "
            "choose MD5 or Basic in its settings"
        ) from refusal


def _open_by_any_way(opening: Opening, alteration: Alteration) -> LiveSource:
    """Open it, over UDP alone where it answers to TCP with UDP, as some cheap cameras do."""
    try:
        return LiveSource(opening, alteration)
    except SourceUnreadable:
        options = {**opening.options, "rtsp_transport": "udp"}
        del options["rtsp_flags"]  # TCP first
        with suppress(SourceFault):
            return LiveSource(replace(opening, options=options), alteration)
        raise
