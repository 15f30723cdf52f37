"""A client that speaks HTTP/2 frame by frame, so that a test can say it wrongly."""

import socket
import ssl
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import unquote

from hpack import Decoder, Encoder

from camfleet_contracts.protocols import inference_pb2 as pb
from camfleet_server.transports.http2.frames import (
    DATA,
    END_HEADERS,
    END_STREAM,
    FRAME_HEAD,
    FRAME_HEAD_BYTES,
    GOAWAY,
    HEADERS,
    NUMBER,
    PREFACE,
    RST_STREAM,
    ErrorCode,
    frame,
    settings,
)
from transport_callers import KSERVE

TIMEOUT_S = 30  # less than a peer may stall
INFER, LIVE = f"{KSERVE}/ModelInfer", f"{KSERVE}/ServerLive"
STREAM = f"{KSERVE}/ModelStreamInfer"


class Frame(NamedTuple):
    kind: int
    flags: int
    number: int
    payload: bytes


@dataclass
class Answer:
    """What came on one stream."""

    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    reset: int | None = None

    @property
    def status(self) -> int:
        return int(self.headers["grpc-status"])

    @property
    def text(self) -> str:
        return unquote(self.headers.get("grpc-message", ""))

    @property
    def message(self) -> bytes:
        return self.body[5:]


class Ended(Exception):
    """The server ended the connection; `code` is that of its GOAWAY."""

    def __init__(self, code: int | None, text: str) -> None:
        super().__init__(text)
        self.code = code


class Peer:
    """One connection; reading gives frames in the order they came."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self.encoder, self._decoder = Encoder(), Decoder()
        self._buffer = b""
        self.goaway: tuple[int, int, str] | None = None  # last stream, code, text

    def greet(self, values: dict[int, int] | None = None) -> None:
        self.send(PREFACE + settings(values or {}))

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def head(self, path: str = INFER, **more: str) -> bytes:
        fields = {":method": "POST", ":scheme": "http", ":path": path, ":authority": "box"}
        fields |= {"content-type": "application/grpc", "te": "trailers"}
        fields |= {name.replace("_", "-"): value for name, value in more.items()}
        encoded: bytes = self.encoder.encode(list(fields.items()))
        return encoded

    def open(self, number: int, path: str = INFER, **more: str) -> None:
        self.send(frame(HEADERS, END_HEADERS, number, self.head(path, **more)))

    def ask(self, number: int, path: str = INFER, message: bytes = b"", **more: str) -> None:
        self.open(number, path, **more)
        self.send(frame(DATA, END_STREAM, number, prefixed(message)))

    def frames(self) -> Iterator[Frame]:
        """Give frames until the server closes; GOAWAY is remembered."""
        while True:
            read = self._read(FRAME_HEAD_BYTES)
            if read is None:
                return
            high, low, kind, flags, number = FRAME_HEAD.unpack(read)
            payload = self._read(high << 8 | low)
            assert payload is not None
            if kind == GOAWAY:
                last, code = NUMBER.unpack(payload[:4])[0], NUMBER.unpack(payload[4:8])[0]
                self.goaway = last, code, payload[8:].decode()
            yield Frame(kind, flags, number, payload)

    def until(self, kind: int, number: int = 0, flags: int | None = None) -> Frame:
        """Return the next frame of a kind, on a stream or on the connection (0)."""
        for each in self.frames():
            if (each.kind, each.number) == (kind, number) and flags in {None, each.flags}:
                return each
        raise self._ended()

    def answer(self, number: int) -> Answer:
        """Read to the end of a stream; of other streams only headers are decoded."""
        answer = Answer()
        for each in self.frames():
            fields = self._decoder.decode(each.payload) if each.kind == HEADERS else []
            if each.number != number:
                continue
            answer.headers |= {str(name): str(value) for name, value in fields}
            answer.body += each.payload if each.kind == DATA else b""
            if each.kind == RST_STREAM:
                answer.reset = NUMBER.unpack(each.payload)[0]
            if each.kind == RST_STREAM or (each.flags & END_STREAM and each.kind in {0, 1}):
                return answer
        raise self._ended()

    def end(self) -> Ended:
        """Read to the end of the connection."""
        for _ in self.frames():
            pass
        return self._ended()

    def is_cut_off(self, frames: Iterable[bytes]) -> bool:
        """Send on and on; the reason may be lost where the server closes while we still send."""
        try:
            for each in frames:
                self.send(each)
        except ConnectionError:
            return True
        return self.end().code in {ErrorCode.ENHANCE_YOUR_CALM, None}

    def _ended(self) -> Ended:
        _, code, text = self.goaway or (0, None, "")
        return Ended(code, text)

    def _read(self, size: int) -> bytes | None:
        while len(self._buffer) < size:
            try:
                data = self.socket.recv(1 << 16)
            except ConnectionError:
                return None
            if not data:
                return None
            self._buffer += data
        read, self._buffer = self._buffer[:size], self._buffer[size:]
        return read


@contextmanager
def connected(
    port: int, tls: ssl.SSLContext | None = None, values: dict[int, int] | None = None
) -> Iterator[Peer]:
    """Connect and greet."""
    with socket.create_connection(("127.0.0.1", port), TIMEOUT_S) as plain:
        used = plain if tls is None else tls.wrap_socket(plain, server_hostname="localhost")
        with used:
            peer = Peer(used)
            peer.greet(values)
            yield peer


def prefixed(message: bytes, flag: int = 0) -> bytes:
    """Put a message behind gRPC's prefix."""
    return bytes((flag,)) + NUMBER.pack(len(message)) + message


def request(size: int = 2, model: str = "echo") -> bytes:
    """Write a ModelInferRequest that is answered with its own bytes."""
    message = pb.ModelInferRequest(model_name=model)
    message.inputs.add(name="text", datatype="UINT8", shape=[size])
    message.raw_input_contents.append(bytes(size))
    return message.SerializeToString()


def echoed(answer: Answer) -> bytes:
    """Return the bytes a ModelInferResponse brings back."""
    return bytes(pb.ModelInferResponse.FromString(answer.message).raw_output_contents[0])


def spread(data: bytes, parts: Sequence[memoryview]) -> int:
    """Fill one part after the other; tells how much there was."""
    at = 0
    for part in parts:
        piece = data[at : at + len(part)]
        part[: len(piece)] = piece
        at += len(piece)
    return len(data)
