"""Network cameras with the habits that real ones have; every picture is told by its number."""

import itertools
import struct
import threading
from itertools import pairwise
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer

import av
import pytest
from av.video.codeccontext import VideoCodecContext

from camfleet_capture.access_unit import AccessUnit
from camfleet_capture.codecs import h264
from camfleet_capture.errors import SourceStalled
from camfleet_capture.sources.live import open_network
from fakes_capture import LENGTH, camera_lines, capture_running, number_of, write_clip
from fakes_odd_camera import (
    SETS,
    Habits,
    Packet,
    Pictures,
    odd_camera,
    one_by_one,
    over_udp_alone,
    pictures_of,
)
from serving_thread import in_thread
from waiting import wait_until

ENOUGH = 20
AUDIO = "m=audio 0 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000/1\r\na=control:track0"
METADATA = (
    "m=application 0 RTP/AVP 107\r\na=rtpmap:107 vnd.onvif.metadata/90000\r\na=control:track2"
)
BACK_CHANNEL = "m=audio 0 RTP/AVP 0\r\na=control:track3\r\na=sendonly"
TWO_RATES = "a=framerate:0S\r\na=framerate:25\r\na=control:track1"


@pytest.fixture(scope="module")
def pictures(clip: Path) -> Pictures:
    return pictures_of(clip)


def numbers_in(units: list[AccessUnit]) -> list[int]:
    decoder = av.CodecContext.create("h264", "r")
    assert isinstance(decoder, VideoCodecContext)
    decoder.thread_type = "NONE"
    packets = [av.Packet(unit.coded()) for unit in units]
    return [number_of(frame) for packet in packets for frame in decoder.decode(packet)]


def without_sets(nals: list[bytes]) -> list[Packet]:
    return one_by_one([nal for nal in nals if h264.nal_type(nal) not in SETS])


def sets_in_one_packet(nals: list[bytes]) -> list[Packet]:
    sets = [struct.pack("!H", len(nal)) + nal for nal in nals if h264.nal_type(nal) in SETS]
    return ([(False, b"\x78" + b"".join(sets))] if sets else []) + without_sets(nals)


def whole_in_fragments(nals: list[bytes]) -> list[Packet]:
    def fragment(nal: bytes) -> bytes:  # the first and the last one at once
        return bytes((nal[0] & 0xE0 | 28, nal[0] & 0x1F | 0xC0)) + nal[1:]

    return [(marker, fragment(nal)) for marker, nal in one_by_one(nals)]


def in_lower_case(lines: list[str]) -> list[str]:
    return [lines[0], *(line.split(":")[0].lower() + line[line.index(":") :] for line in lines[1:])]


def udp_whatever_is_asked(method: str, headers: dict[str, str]) -> list[str] | None:
    if method != "SETUP" or "TCP" not in headers["transport"]:
        return None
    answer = "Transport: RTP/AVP;unicast;client_port=5000-5001;server_port=6970-6971"
    return ["200 OK", "Session: 12", answer]


@pytest.mark.parametrize(
    "habits",
    [
        pytest.param(Habits(control="a=control:{url}/track1"), id="absolute control address"),
        pytest.param(Habits(control="a=recvonly"), id="no control address"),
        pytest.param(
            Habits(described=("Content-Base: 127.0.0.1:554/live/",)), id="base without rtsp://"
        ),
        pytest.param(Habits(described=("Content-Base: ",)), id="empty base"),
        pytest.param(Habits(described=()), id="neither base nor type"),
        pytest.param(Habits(spell=in_lower_case), id="headers in lower case"),
        pytest.param(Habits(spell=lambda lines: [lines[0], *lines[2:]]), id="no CSeq"),
        pytest.param(Habits(control=TWO_RATES), id="two rates"),
        pytest.param(Habits(sets=""), id="parameter sets in band alone"),
        pytest.param(Habits(sets=";sprop-parameter-sets={sps},"), id="half of them described"),
        pytest.param(Habits(sets=";sprop-parameter-sets=6QAAAA,{pps}"), id="wrong ones described"),
        pytest.param(Habits(packets=without_sets), id="parameter sets described alone"),
        pytest.param(
            Habits(media=f"{AUDIO}\r\n{METADATA}\r\n{BACK_CHANNEL}\r\n{{video}}"), id="video last"
        ),
        pytest.param(Habits(packets=sets_in_one_packet), id="STAP-A"),
        pytest.param(Habits(packets=whole_in_fragments), id="FU-A of one fragment"),
        pytest.param(
            Habits(packets=lambda nals: [(True, b"\0\0\0\1".join(nals))]), id="start codes inside"
        ),
        pytest.param(
            Habits(packets=lambda nals: [(False, nal) for nal in nals]), id="no marker ever"
        ),
        pytest.param(Habits(first_byte=0xA0, padding=b"\0\0\0\4"), id="padding"),
        pytest.param(
            Habits(first_byte=0x90, behind_header=b"\xab\xac\0\1" + bytes(4)), id="extension"
        ),
        pytest.param(Habits(refuse=over_udp_alone), id="UDP alone"),
        pytest.param(Habits(refuse=udp_whatever_is_asked), id="answers UDP to TCP"),
    ],
)
def test_every_picture_of_a_camera_with_a_habit_comes(pictures: Pictures, habits: Habits) -> None:
    with odd_camera(pictures, habits) as camera:
        source = open_network(camera.url)
        units = list(itertools.islice(source.units(threading.Event()), ENOUGH))
        source.close()
    numbers = numbers_in(units)
    assert len(numbers) == ENOUGH
    assert all(after == (before + 1) % LENGTH for before, after in pairwise(numbers))


def test_camera_whose_packets_are_not_what_it_described_says_so(
    pictures: Pictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("camfleet_capture.sources.container.OPEN_TIMEOUT_S", 0.5)
    with odd_camera(pictures, Habits(payload_type=97)) as camera:
        source = open_network(camera.url)
        with pytest.raises(SourceStalled, match="broke off, or sends nothing that is video"):
            next(source.units(threading.Event()))
        source.close()
    assert source.details.fps is None


class _Plain(BaseRequestHandler):
    """Answers whatever comes as cameras do that expect no TLS."""

    def handle(self) -> None:
        self.request.recv(4096)
        self.request.sendall(b"RTSP/1.0 400 Bad Request\r\n\r\n")


@pytest.mark.parametrize("scheme", ["rtsps", "https"])
def test_camera_without_tls_is_told_to_have_none(scheme: str) -> None:
    with (
        in_thread(ThreadingTCPServer(("127.0.0.1", 0), _Plain)) as camera,
        pytest.raises(SourceStalled, match="speaks no TLS there"),
    ):
        open_network(f"{scheme}://127.0.0.1:{camera.server_address[1]}/live")


def test_state_tells_what_is_missing_while_no_key_picture_comes(tmp_path: Path) -> None:
    long = pictures_of(write_clip(tmp_path / "long.mp4", pictures=1000, group=1000))
    file = tmp_path / "cameras.yaml"
    with odd_camera(long, Habits(begins_with=10)) as camera:
        file.write_text(camera_lines(door=camera.url))
        with capture_running(file) as capture:
            state = wait_until(
                lambda: (now := capture.state("door"))["frames"] and now, 60, "pictures"
            )
    assert state["state"] == "CONNECTING"
    assert "set the camera to a key frame every 1 to 2 s" in state["reason"]
