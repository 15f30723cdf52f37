"""One connection to an RTSP server, as a client."""

import asyncio
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from camfleet_capture.rtsp.challenges import find_authorization
from camfleet_contracts.secret_references import Credentials

_PORTS = {"rtsp": 554, "rtsps": 322}
_ANSWER_LIMIT_BYTES = 65_536
_TIMEOUT_S = 5.0
_VANISHED_AFTER_S = 30  # without a sign that what was sent has come; TCP itself waits 15 minutes
_OK, _UNAUTHORIZED = 200, 401


class PublishFault(Exception):
    """The server does not take the stream; the text says why and names no password."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; headers may repeat, their names are in lower case."""

    code: int
    reason: str
    headers: tuple[tuple[str, str], ...]

    def all(self, name: str) -> list[str]:
        """Return the values of every header of this name."""
        return [value for header, value in self.headers if header == name]

    def first(self, name: str) -> str:
        """Return the first value; empty when there is none."""
        return next(iter(self.all(name)), "")


class RtspClient:
    """Asks, authorises itself when told to, and leaves interleaved packets aside."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        credentials: Credentials | None,
    ) -> None:
        self._reader, self._writer = reader, writer
        self._credentials = credentials
        self._authorize: Callable[[str, str], str] | None = None
        self._sequence = 0
        self.session = ""

    @classmethod
    async def connect(
        cls, url: str, credentials: Credentials | None, authorities: Path | None
    ) -> "RtspClient":
        """Connect to the server of a URL; `authorities` vouch for rtsps, None: the system's.

        Raises:
            OSError: it cannot be reached, or its certificate is not trusted.
        """
        parts = urlsplit(url)
        is_encrypted = parts.scheme == "rtsps"
        async with asyncio.timeout(_TIMEOUT_S):
            reader, writer = await asyncio.open_connection(
                parts.hostname,
                parts.port or _PORTS[parts.scheme],
                limit=_ANSWER_LIMIT_BYTES,
                ssl=ssl.create_default_context(cafile=authorities) if is_encrypted else None,
            )
        connection: socket.socket = writer.get_extra_info("socket")
        limit_ms = _VANISHED_AFTER_S * 1000
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, limit_ms)
        return cls(reader, writer, credentials)

    @property
    def transport(self) -> asyncio.WriteTransport:
        """What interleaved packets are written to."""
        return self._writer.transport

    @property
    def own_address(self) -> str:
        """This end's address."""
        return str(self._writer.get_extra_info("sockname")[0])

    def close(self) -> None:
        """Hang up."""
        self._writer.close()

    async def ask(self, method: str, url: str, *headers: str, body: str = "") -> Answer:
        """Send a request, a second time with credentials if need be, and return the answer.

        Raises:
            PublishFault: the server refuses.
            OSError, EOFError, TimeoutError: it is gone or silent.
        """
        answer = await self._ask_once(method, url, headers, body)
        if answer.code == _UNAUTHORIZED and self._authorize is None:
            self._authorize = self._find_authorization(answer)
            answer = await self._ask_once(method, url, headers, body)
        if answer.code == _UNAUTHORIZED:
            raise PublishFault("the server refuses the user or password")
        if answer.code != _OK:
            raise PublishFault(f"the server answers {method} with {answer.code} {answer.reason}")
        return answer

    def _find_authorization(self, answer: Answer) -> Callable[[str, str], str]:
        if self._credentials is None:
            raise PublishFault("the server asks for a password; add ${env:NAME}@ to publish_to")
        authorize = find_authorization(answer.all("www-authenticate"), self._credentials)
        if authorize is None:
            raise PublishFault("the server offers neither Digest nor Basic")
        return authorize

    def send(self, method: str, url: str, headers: tuple[str, ...] = (), body: str = "") -> None:
        """Send a request and wait for nothing."""
        self._sequence += 1
        lines = [f"{method} {url} RTSP/1.0", f"CSeq: {self._sequence}", "User-Agent: camfleet"]
        lines += headers
        if self.session:
            lines.append(f"Session: {self.session}")
        if self._authorize:
            lines.append(f"Authorization: {self._authorize(method, url)}")
        if body:
            lines.append(f"Content-Length: {len(body.encode())}")
        self._writer.write(("\r\n".join(lines) + "\r\n\r\n" + body).encode())

    async def _ask_once(self, method: str, url: str, headers: tuple[str, ...], body: str) -> Answer:
        self.send(method, url, headers, body)
        async with asyncio.timeout(_TIMEOUT_S):
            await self._writer.drain()
            return await self.next_answer()

    async def next_answer(self) -> Answer:
        """Return the next answer, passing over interleaved packets.

        Raises:
            EOFError: the server hung up.
            PublishFault: it speaks no RTSP.
        """
        while (first := await self._reader.readexactly(1)) == b"$":
            head = await self._reader.readexactly(3)
            await self._reader.readexactly(int.from_bytes(head[1:]))
        try:
            head = first + await self._reader.readuntil(b"\r\n\r\n")
        except asyncio.LimitOverrunError as error:
            raise PublishFault("the server speaks no RTSP") from error
        answer = _parse(head.decode("utf-8", "replace"))
        length = answer.first("content-length")
        await self._reader.readexactly(
            min(int(length), _ANSWER_LIMIT_BYTES) if length.isdecimal() else 0
        )
        return answer


def _parse(head: str) -> Answer:
    first, *lines = head.strip().split("\r\n")
    version, _, rest = first.partition(" ")
    code, _, reason = rest.partition(" ")
    if not version.startswith("RTSP/") or not code.isdecimal():
        raise PublishFault("the server speaks no RTSP")
    pairs = (line.partition(":") for line in lines)
    return Answer(
        int(code), reason, tuple((name.strip().lower(), value.strip()) for name, _, value in pairs)
    )
