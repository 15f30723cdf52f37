"""Video writers: files, chunks, Motion JPEG over HTTP, RTSP."""

import base64
import http.client
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import httpx
import numpy as np
import pytest

from camfleet.errors import BadArgument, BadImage
from camfleet.streams.file import FileVideoStream
from camfleet.writers.errors import CannotWrite, OtherSize, UnknownCodec, WriterError
from camfleet.writers.mjpg import MjpgVideoWriter
from camfleet.writers.rtsp.rtp import Packetiser, nal_units
from camfleet.writers.rtsp.writer import RtspVideoWriter
from camfleet.writers.video_file import VideoWriter
from free_ports import free_port
from painted import number_of, painted, write_clip, writing_on
from waiting import wait_until


@pytest.mark.parametrize(
    ("codec", "name", "coded"),
    [
        ("avc1", "a.mp4", "h264"),
        ("H264", "b.mkv", "h264"),
        ("mp4v", "c.mp4", "mpeg4"),
        ("MJPG", "d.avi", "mjpeg"),
        ("mjpg", "e.mp4", "mjpeg"),
    ],
)
def test_file_of_each_codec_is_read_back(tmp_path: Path, codec: str, name: str, coded: str) -> None:
    path = write_clip(tmp_path / "new" / name, frames=12, fps=12.5, codec=codec)
    with av.open(str(path)) as container:
        assert container.streams.video[0].codec_context.name == coded
    with FileVideoStream(path) as stream:
        assert stream.fps == 12.5
        assert [number_of(stream.read()) for _ in range(12)] == list(range(12))
        assert not stream.more()


def test_new_file_begins_with_every_chunk(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "out.mp4", fps=10, chunk_duration_s=0.5) as writer:
        for number in range(12):
            writer.write_frame(painted(number))
    lengths = []
    for path in writer.files:
        with FileVideoStream(path) as stream:
            lengths.append(number_of(stream.read()))
    assert lengths == [0, 5, 10]
    assert {path.parent for path in writer.files} == {tmp_path}
    assert len(set(writer.files)) == 3


def test_sides_of_odd_length_lose_a_pixel(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "odd.mp4") as writer:
        writer.write_frame(painted(1, 65, 49))
    with FileVideoStream(tmp_path / "odd.mp4") as stream:
        assert stream.read().shape == (48, 64, 3)


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (np.zeros((4, 4), np.uint8), "COLOR_GRAY2BGR"),
        (np.zeros((4, 4, 3), np.float32), "float32, expected uint8"),
        (np.zeros((0, 4, 3), np.uint8), "is empty"),
        (np.zeros((4, 4, 4), np.uint8), r"expected \(H, W, 3\)"),
        (None, "expected an image, got NoneType"),
    ],
    ids=["grey", "floats", "empty", "alpha", "none"],
)
def test_what_is_no_frame_is_refused(tmp_path: Path, image: Any, reason: str) -> None:
    with VideoWriter(tmp_path / "x.mp4") as writer, pytest.raises(BadImage, match=reason):
        writer.write_frame(image)
    assert not writer.files


def test_frame_of_another_size_is_refused_and_the_file_stays_good(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "x.mp4") as writer:
        writer.write_frame(painted(3))
        with pytest.raises(OtherSize, match="32x48 and the first one was 64x48"):
            writer.write_frame(painted(3, 32, 48))
    with FileVideoStream(tmp_path / "x.mp4") as stream:
        assert number_of(stream.read()) == 3


def test_bad_arguments_of_a_writer_are_named(tmp_path: Path) -> None:
    with pytest.raises(UnknownCodec, match="'DIVX' is not known; use one of avc1"):
        VideoWriter(tmp_path / "x.mp4", codec="DIVX")
    with pytest.raises(BadArgument, match="fps is 0"):
        VideoWriter(tmp_path / "x.mp4", fps=0)
    with pytest.raises(CannotWrite, match=r"ends in \.mp4"):
        VideoWriter(tmp_path / "x.nonsense").write_frame(painted(0))
    (tmp_path / "file").touch()
    with pytest.raises(CannotWrite, match="check the folder"):
        VideoWriter(tmp_path / "file" / "x.mp4").write_frame(painted(0))


@pytest.mark.parametrize("make", [
    lambda folder: VideoWriter(folder / "x.mp4"),
    lambda _: MjpgVideoWriter(port=0),
    lambda _: RtspVideoWriter(port=0),
], ids=["file", "mjpg", "rtsp"])  # fmt: skip
def test_closed_writer_says_so(tmp_path: Path, make: Callable[[Path], Any]) -> None:
    writer = make(tmp_path)
    writer.close()
    writer.close()
    with pytest.raises(WriterError, match="is closed"):
        writer.write_frame(painted(0))


def test_rtsp_is_read_by_several_who_come_at_different_times() -> None:
    with (
        RtspVideoWriter(port=0, fps=25) as writer,
        writing_on(writer.write_frame),
        av.open(writer.address, options={"rtsp_transport": "tcp"}) as first,
    ):
        assert 0 <= number_of(_next_image(first)) < 50
        with av.open(writer.address) as second:  # asks for UDP first
            assert second.streams.video[0].codec_context.width == 64
            assert 0 <= number_of(_next_image(second)) < 50
        assert _next_image(first).shape == (48, 64, 3)


def test_rtsp_carries_frames_that_need_many_packets() -> None:
    noise = np.random.default_rng(1).integers(0, 255, (120, 160, 3), np.uint8)
    with (
        RtspVideoWriter(port=0) as writer,
        writing_on(lambda _: writer.write_frame(noise)),
        av.open(writer.address, options={"rtsp_transport": "tcp"}) as reader,
    ):
        image = _next_image(reader).astype(float)
    assert np.corrcoef(image.ravel(), noise.ravel())[0, 1] > 0.4


def test_frame_is_cut_into_packets_that_say_where_it_ends() -> None:
    small, large = b"\x67abc", b"\x65" + b"x" * 3000
    units = nal_units(b"\x00\x00\x00\x01" + small + b"\x00\x00\x01" + large)
    assert units == [small, large]
    packets = Packetiser().packets(units, 7)
    assert [packet[1] >> 7 for packet in packets] == [0, 0, 0, 1]
    assert packets[0][12:] == small
    fragments = [packet[12:] for packet in packets[1:]]
    assert [part[1] for part in fragments] == [0x85, 0x05, 0x45]
    assert b"".join(part[2:] for part in fragments) == large[1:]
    assert all(len(packet) <= 1412 for packet in packets)


def test_rtsp_is_published_to_a_server_that_takes_it() -> None:
    address = f"rtsp://127.0.0.1:{free_port()}/app"
    found: list[int] = []

    def take() -> None:
        listen = {"rtsp_flags": "listen", "listen_timeout": "60"}
        with av.open(address, options=listen) as container:
            found.append(_next_image(container).shape[1])

    server = threading.Thread(target=take, name="listening-server")
    server.start()
    wait_until(lambda: _publish(address, found), 60, "the server has a frame")
    server.join(60)
    assert found == [64]


def _publish(address: str, found: list[int]) -> list[int]:
    def arrived(writer: RtspVideoWriter) -> list[int]:
        writer.write_frame(painted(5))
        return found

    try:
        with RtspVideoWriter(address, fps=10) as writer:
            wait_until(lambda: arrived(writer), 60, "a frame arrives")
    except CannotWrite:
        pass  # the server does not listen yet, or has its frame and is gone
    return found


def test_server_that_takes_no_stream_is_named_without_the_password() -> None:
    with pytest.raises(CannotWrite, match=r"rtsp://\*\*\*@127\.0\.0\.1:1/x: takes no stream"):
        RtspVideoWriter("rtsp://u:secret@127.0.0.1:1/x").write_frame(painted(0))


def test_taken_port_is_named() -> None:
    with MjpgVideoWriter(port=0) as taken:
        port = int(taken.address.split(":")[2].split("/")[0])
        for make in (MjpgVideoWriter, RtspVideoWriter):
            with pytest.raises(CannotWrite, match="choose another port"):
                make(port=port)


@pytest.mark.parametrize("writer_of", [MjpgVideoWriter, RtspVideoWriter])
def test_beyond_this_machine_a_key_and_networks_are_needed(
    writer_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(CannotWrite, match="CAMFLEET_API_KEY"):
        writer_of(port=0, host="0.0.0.0")
    monkeypatch.setenv("CAMFLEET_API_KEY", "geheim")
    monkeypatch.setenv("ALLOW_CIDR", "10.0.0.0/8")
    with writer_of(port=0, host="0.0.0.0") as writer, writing_on(writer.write_frame):
        open_address = writer.address.replace("0.0.0.0", "127.0.0.1")
        scheme, _, rest = open_address.partition("://")
        options = {"rtsp_transport": "tcp"} if scheme == "rtsp" else {}
        with pytest.raises(av.error.HTTPUnauthorizedError):
            av.open(open_address, options=options)
        with av.open(f"{scheme}://anyone:geheim@{rest}", options=options) as reader:
            assert _next_image(reader).shape == (48, 64, 3)


def test_browser_shows_the_stream_from_its_root(monkeypatch: pytest.MonkeyPatch) -> None:
    with MjpgVideoWriter(port=0) as writer, writing_on(writer.write_frame):
        host, port = writer.address.removeprefix("http://").split("/")[0].split(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=30)
        token = base64.b64encode(b"u:p").decode()
        connection.request("GET", "/", headers={"Authorization": f"Basic {token}"})
        answer = connection.getresponse()
        assert answer.getheader("Content-Type", "").startswith("multipart/x-mixed-replace")
        assert b"image/jpeg" in answer.read(200)
        connection.close()


def test_a_name_made_to_lead_to_this_machine_is_shown_nothing() -> None:
    with MjpgVideoWriter(port=0) as writer:
        answer = httpx.get(
            writer.address, headers={"Host": "camera.attacker.example"}, trust_env=False, timeout=60
        )
    assert answer.status_code == 403


def test_a_reader_that_asks_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("camfleet.writers.mjpg._Handler.timeout", 0.1)
    with MjpgVideoWriter(port=0) as writer:
        host, port = writer.address.removeprefix("http://").split("/")[0].split(":")
        with socket.create_connection((host, int(port)), timeout=60) as silent:
            assert silent.recv(1) == b""


def _next_image(container: Any) -> Any:
    return next(container.decode(video=0)).to_ndarray(format="bgr24")
