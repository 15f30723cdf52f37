"""An RTSP camera that speaks as it is told to, with its habits in headers, SDP and packets."""

import re
import socket
import struct
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer

import av
from av.bitstream import BitStreamFilterContext

from camfleet_capture.codecs import h264
from camfleet_capture.codecs.nal import split_start_codes
from fakes_capture import FPS
from serving_thread import in_thread

CLOCK_HZ, SETS = 90_000, frozenset({h264.SPS, h264.PPS, h264.SEI})
Pictures = list[list[bytes]]
Packet = tuple[bool, bytes]  # marker, payload
Headers = dict[str, str]


def pictures_of(clip: Path) -> Pictures:
    """Return the NAL units of each picture of an H.264 film."""
    with av.open(str(clip)) as film:
        to_annex_b = BitStreamFilterContext("h264_mp4toannexb", film.streams.video[0])
        packets = [
            p for packet in film.demux(video=0) if packet.size for p in to_annex_b.filter(packet)
        ]
    return [split_start_codes(bytes(packet)) for packet in packets]


def one_by_one(nals: list[bytes]) -> list[Packet]:
    """Put each NAL unit into a packet; the last one has the marker."""
    return [(number == len(nals), nal) for number, nal in enumerate(nals, 1)]


def over_udp_alone(method: str, headers: Headers) -> list[str] | None:
    """A habit: to refuse whoever asks for TCP."""
    is_tcp = method == "SETUP" and "TCP" in headers["transport"]
    return ["461 Unsupported Transport"] if is_tcp else None


@dataclass
class Habits:
    """What a camera does its own way; as it stands, one that does all by the book."""

    media: str = "{video}"
    control: str = "a=control:track1"
    sets: str = ";sprop-parameter-sets={sps},{pps}"
    described: tuple[str, ...] = ("Content-Base: {url}/", "Content-Type: application/sdp")
    spell: Callable[[list[str]], list[str]] = list
    refuse: Callable[[str, Headers], list[str] | None] = lambda _method, _headers: None
    packets: Callable[[list[bytes]], list[Packet]] = one_by_one
    first_byte: int = 0x80
    behind_header: bytes = b""
    padding: bytes = b""
    payload_type: int = 96
    pictures: Pictures = field(default_factory=list)
    begins_with: int = 0


class OddCamera(ThreadingTCPServer):
    """Sends its pictures over and over, 30 a second."""

    daemon_threads = True

    def __init__(self, pictures: Pictures, habits: Habits) -> None:
        super().__init__(("127.0.0.1", 0), _Talk)
        self.pictures, self.habits = pictures, habits
        self.over = threading.Event()

    @property
    def url(self) -> str:
        return f"rtsp://127.0.0.1:{self.server_address[1]}/live"

    @property
    def sdp(self) -> str:
        sps, pps = (
            b64encode(next(nal for nal in self.pictures[0] if h264.nal_type(nal) == kind)).decode()
            for kind in (h264.SPS, h264.PPS)
        )
        sets = self.habits.sets.format(sps=sps, pps=pps)
        video = ["m=video 0 RTP/AVP 96", "a=rtpmap:96 H264/90000"]
        video += [f"a=fmtp:96 packetization-mode=1{sets}", self.habits.control.format(url=self.url)]
        head = ["v=0", "o=- 1 1 IN IP4 0.0.0.0", "s=Session", "t=0 0"]
        media = self.habits.media.format(video="\r\n".join(video))
        return "\r\n".join([*head, media, ""])


class _Talk(StreamRequestHandler):
    server: OddCamera

    _datagrams: socket.socket | None = None

    def handle(self) -> None:
        self._send: Callable[[bytes], object] = self._interleave
        for line in self.rfile:
            if line.startswith(b"$"):
                return  # reports of the reader: what follows is no text
            head, headers = line.decode().split(), {}
            while text := self.rfile.readline().decode().strip():
                name, _, value = text.partition(": ")
                headers[name.lower()] = value
            self._answer(head[0], headers)
            if head[0] == "PLAY":
                threading.Thread(target=self._play, daemon=True).start()

    def finish(self) -> None:
        if self._datagrams:
            self._datagrams.close()
        super().finish()

    def _answer(self, method: str, headers: Headers) -> None:
        habits, body = self.server.habits, ""
        lines = habits.refuse(method, headers) or ["200 OK", "Session: 12;timeout=60"]
        if method == "DESCRIBE":
            body = self.server.sdp
            lines += [line.format(url=self.server.url) for line in habits.described]
            lines.append(f"Content-Length: {len(body)}")
        if method == "SETUP" and len(lines) == len(["status", "session"]):
            lines.append(f"Transport: {headers['transport']}{self._set_up(headers['transport'])}")
        lines = [f"RTSP/1.0 {lines[0]}", f"CSeq: {headers['cseq']}", *lines[1:]]
        self.wfile.write(("\r\n".join([*habits.spell(lines), "", ""]) + body).encode())

    def _set_up(self, transport: str) -> str:
        if "TCP" in transport:
            return ""
        port = int(re.findall(r"client_port=(\d+)", transport)[0])
        way = self._datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._send = lambda packet: way.sendto(packet, ("127.0.0.1", port))
        return ";server_port=6970-6971"

    def _interleave(self, packet: bytes) -> None:
        self.wfile.write(struct.pack("!cBH", b"$", 0, len(packet)) + packet)

    def _play(self) -> None:
        habits, pictures, sequence = self.server.habits, self.server.pictures, 65_500
        begun, number = time.monotonic(), 0
        while not self.server.over.wait(begun + number / FPS - time.monotonic()):
            picture = pictures[(number + habits.begins_with) % len(pictures)]
            for marker, payload in habits.packets(picture):
                kind, stamp = habits.payload_type | marker << 7, number * CLOCK_HZ // FPS
                head = struct.pack("!BBHII", habits.first_byte, kind, sequence & 0xFFFF, stamp, 7)
                try:
                    self._send(head + habits.behind_header + payload + habits.padding)
                except OSError:  # the reader has left
                    return
                sequence += 1
            number += 1


@contextmanager
def odd_camera(pictures: Pictures, habits: Habits) -> Iterator[OddCamera]:
    with in_thread(OddCamera(pictures, habits)) as camera:
        try:
            yield camera
        finally:
            camera.over.set()
