"""Bytes that hurt an RTSP server, and a service that gets them.

    python tests/capture/rtsp_fuzz.py --minutes 10

runs the capture service, fuzzes it, and prints a table: connections, memory, whether it serves.
"""

import argparse
import random
import re
import socket
import struct
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).resolve().parent
sys.path[:0] = [str(TESTS), str(TESTS.parent)]  # as pytest has it

from fakes_capture import camera_lines, write_clip  # noqa: E402
from processes import Service, running  # noqa: E402

METHODS = ("OPTIONS", "DESCRIBE", "SETUP", "PLAY", "GET_PARAMETER", "TEARDOWN", "PAUSE", "RECORD")
PATHS = ("one", "one-h264", "server", "one/trackID=0", "nothing", "%00", "..", "one?low_latency=1")
TRANSPORTS = (
    "RTP/AVP/TCP;unicast;interleaved=0-1",
    "RTP/AVP/TCP;interleaved=254-255",
    "RTP/AVP/TCP;interleaved=999-1000",
    "RTP/AVP;unicast;client_port=50000-50001",
    "RTP/AVP;unicast;destination=192.0.2.7;client_port=9-9",
    "RTP/AVP;multicast;ttl=127",
    "RTP/AVP;client_port=99999-99999",
    ",,,;;;===",
)
LINES = (
    "Session: 0000000000000000",
    "Content-Length: 99999999",
    "Content-Length: -1",
    "Content-Length: 7",
    "Authorization: Digest ",
    "Authorization: Basic ////",
    "Require: everything",
    "no colon",
    ": no name",
    "X: " + "y" * 20_000,
    "Session: \x00\x01",
)
JUNK = (
    b"",
    b"\r\n\r\n",
    b"GET / HTTP/1.1\r\n\r\n",
    b"DESCRIBE rtsp://h/one RTSP/2.0\r\nCSeq: 1\r\n\r\n",
    b"OPTIONS rtsp://[ RTSP/1.0\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"A" * 40_000,
    b"$\x00\xff\xff",
    b"$\x00\x00\x00" * 3000,
)


def conversation(chance: random.Random) -> bytes:
    """Some requests, most of them nearly right, with some of their bytes changed."""
    if chance.random() < 0.1:
        return chance.choice(JUNK) + chance.randbytes(chance.randrange(200))
    parts = [_request(chance) for _ in range(chance.randrange(1, 8))]
    content = bytearray(b"".join(parts))
    for _ in range(chance.choice((0, 0, 1, 3, 20))):
        content[chance.randrange(len(content))] = chance.randrange(256)
    if chance.random() < 0.2:
        del content[chance.randrange(len(content)) :]
    return bytes(content)


def _request(chance: random.Random) -> bytes:
    if chance.random() < 0.1:
        size = chance.randrange(300)
        return struct.pack("!cBH", b"$", chance.randrange(256), size) + chance.randbytes(size)
    lines = [f"{chance.choice(METHODS)} rtsp://h/{chance.choice(PATHS)} RTSP/1.0", "CSeq: 1"]
    if chance.random() < 0.6:
        lines.append(f"Transport: {chance.choice(TRANSPORTS)}")
    if chance.random() < 0.3:
        lines.append(chance.choice(LINES))
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def talk(port: int, chance: random.Random) -> None:
    """Send a conversation; read a little, all, or nothing; leave politely or not."""
    own = f"127.0.{chance.randrange(1, 255)}.{chance.randrange(1, 255)}"  # a budget of its own
    address = ("127.0.0.1", port)
    with suppress(OSError), socket.create_connection(address, 5, (own, 0)) as one:
        one.sendall(conversation(chance))
        if chance.random() < 0.5:
            one.settimeout(0.02)
            one.recv(65_536)
        if chance.random() < 0.3:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def answers(port: int) -> bool:
    """Whether a new client is served."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=20) as one:
            one.sendall(b"DESCRIBE rtsp://h/one RTSP/1.0\r\nCSeq: 1\r\n\r\n")
            return one.recv(12) == b"RTSP/1.0 200"
    except ConnectionError:  # it is refused for having asked too much
        return False


def memory_bytes(pid: int) -> int:
    """Memory of a process that is its own alone, shared pages left out."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(int(n) for n in re.findall(r"Private_\w+: +(\d+) kB", text)) * 1024


@dataclass
class Target:
    """A running service to be fuzzed."""

    service: Service
    port: int

    @property
    def memory_bytes(self) -> int:
        return memory_bytes(self.service.process.pid)

    def fuzz(self, seed: int, *, seconds: float = 1e9, connections: int = sys.maxsize) -> int:
        """Fuzz until either is used up; returns the number of connections."""
        chance, ends_at = random.Random(seed), time.monotonic() + seconds
        count = 0
        while count < connections and time.monotonic() < ends_at:
            talk(self.port, chance)
            count += 1
        return count


@contextmanager
def fuzz_target(folder: Path) -> Iterator[Target]:
    """Run the service with one camera."""
    clip = write_clip(folder / "clip.mp4")
    file = folder / "cameras.yaml"
    file.write_text(camera_lines(one=str(clip)))
    command = ["camfleet-capture", "--cameras", str(file), "--rtsp-port", "0", "--http-port", "0"]
    with running(*command, env={"CAMFLEET_STATE": str(folder)}) as service:
        port = int(service.logged(r"listening rtsp=\S+:(\d+)")[1])
        service.logged("camera live")
        yield Target(service, port)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    say = sys.stdout.write
    with tempfile.TemporaryDirectory() as folder, fuzz_target(Path(folder)) as target:
        target.fuzz(options.seed, seconds=20)  # what is made once is made by then
        say("| minutes | connections | private MB | serves | faults logged |\n")
        say("|---|---|---|---|---|\n")
        count, begun = 0, time.monotonic()
        say(row(target, 0, 0))
        while time.monotonic() - begun < 60 * options.minutes:
            with ThreadPoolExecutor(2) as pool:
                seeds = (options.seed + count + 1, options.seed + count + 2)
                count += sum(pool.map(lambda seed: target.fuzz(seed, seconds=30), seeds))
            say(row(target, (time.monotonic() - begun) / 60, count))
            sys.stdout.flush()


def row(target: Target, minutes: float, count: int) -> str:
    megabytes = target.memory_bytes / 1e6
    faults = sum("Traceback" in line for line in target.service.lines)
    return f"| {minutes:.1f} | {count} | {megabytes:.1f} | {answers(target.port)} | {faults} |\n"


if __name__ == "__main__":
    main()
