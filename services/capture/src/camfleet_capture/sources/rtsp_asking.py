"""Questions to an RTSP camera beside libav, to learn why that gets no pictures."""

import socket
from dataclasses import dataclass
from types import TracebackType
from typing import BinaryIO, Self
from urllib.parse import unquote, urlsplit, urlunsplit

from camfleet_capture.rtsp.challenges import find_authorization
from camfleet_contracts.secret_references import Credentials

_PATIENCE_S = 2.0
_LINE_LIMIT_BYTES, _LINES_LIMIT = 4096, 64
_RTSP_PORT = 554
_UNAUTHORIZED = 401


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; headers may repeat, their names are in lower case."""

    code: int
    headers: tuple[tuple[str, str], ...]

    def all(self, name: str) -> list[str]:
        """Return the values of every header of this name."""
        return [value for header, value in self.headers if header == name]


class RtspAsking:
    """One connection to the camera of an address; each question waits a moment at most.

    Args:
        credentials: told only by Digest or Basic, as the camera asks for; None: nothing is told.

    Raises:
        OSError: the camera is not there.
        ValueError: the address is none of `rtsp://`.
    """

    def __init__(self, url: str, credentials: Credentials | None = None) -> None:
        parts = urlsplit(url)
        if parts.scheme != "rtsp" or not parts.hostname:
            raise ValueError(f"{parts.scheme} is not asked")
        self._url = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
        self._credentials = credentials
        place = parts.hostname, parts.port or _RTSP_PORT
        self._socket = socket.create_connection(place, _PATIENCE_S)
        self._answers = self._socket.makefile("rb")
        self._sequence = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _e: BaseException | None, _t: TracebackType | None
    ) -> None:
        self._answers.close()
        self._socket.close()

    def ask(self, method: str) -> Answer:
        """Ask, a second time with credentials if there are some and the camera wants them.

        Raises:
            OSError, ValueError, IndexError: there is no answer, or none of RTSP.
        """
        answer = self._ask_once(method)
        if answer.code != _UNAUTHORIZED or not self._credentials:
            return answer
        authorize = find_authorization(answer.all("www-authenticate"), self._credentials)
        if authorize is None:
            return answer
        return self._ask_once(method, f"Authorization: {authorize(method, self._url)}\r\n")

    def _ask_once(self, method: str, header: str = "") -> Answer:
        self._sequence += 1
        request = f"{method} {self._url} RTSP/1.0\r\nCSeq: {self._sequence}\r\n{header}\r\n"
        self._socket.sendall(request.encode())
        return _read(self._answers)


def credentials_in(url: str) -> Credentials | None:
    """Return the user and password that an address holds."""
    parts = urlsplit(url)
    return (unquote(parts.username), unquote(parts.password or "")) if parts.username else None


def _read(answers: BinaryIO) -> Answer:
    code = int(answers.readline(_LINE_LIMIT_BYTES).decode().split(" ")[1])
    headers = []
    for _ in range(_LINES_LIMIT):
        line = answers.readline(_LINE_LIMIT_BYTES).decode().strip()
        if not line:
            break
        name, _, value = line.partition(":")
        headers.append((name.lower(), value.strip()))
    return Answer(code, tuple(headers))
