"""Network cameras: RTSP, and Motion JPEG or anything else that FFmpeg reads over HTTP."""

from functools import partial
from urllib.parse import urlsplit

import av
import av.error
from av.container import InputContainer

from camfleet.streams.errors import StreamMissing
from camfleet.streams.live import LiveVideoStream, NoSink
from camfleet.video.addresses import ALLOWED_SCHEMES
from camfleet.video.backoff import Backoff
from camfleet.video.connection import ReaderState
from camfleet.video.reader import OPEN_TIMEOUT_S, READ_TIMEOUT_S, CameraReader, rtsp
from camfleet_contracts.redaction import redact

HTTP_SCHEMES = frozenset({"http", "https"})
_HTTP_OPTIONS = {
    "use_wallclock_as_timestamps": "1",  # Motion JPEG has no times of its own
    "protocol_whitelist": "http,https,tcp,tls,crypto",  # a playlist must not name local files
}


class IPVideoStream(LiveVideoStream):
    """A camera with an address: rtsp(s):// or http(s)://user:password@host/path."""

    def __init__(self, url: str) -> None:
        """Nothing is opened yet.

        Raises:
            StreamMissing: the address is none of a camera.
        """
        parts = urlsplit(url)
        self._scheme = parts.scheme.lower()
        if self._scheme not in ALLOWED_SCHEMES | HTTP_SCHEMES or not parts.hostname:
            raise StreamMissing(
                f"{redact(url)}: not the address of a camera; use rtsp://host:port/path or"
                " http://host/path, and FileVideoStream for a file"
            )
        super().__init__(redact(url))
        self._url = url

    def _make_reader(self) -> CameraReader:
        is_http = self._scheme in HTTP_SCHEMES
        opening = self._open_http if is_http else rtsp(lambda: self._url)
        return CameraReader(self._name, opening, NoSink(), explain=partial(_explain, self._name))

    def _open_http(self) -> InputContainer:
        return av.open(
            self._url,
            options=_HTTP_OPTIONS,
            metadata_errors="replace",
            timeout=(OPEN_TIMEOUT_S, READ_TIMEOUT_S),
        )


def _explain(name: str, error: Exception, backoff: Backoff) -> tuple[str, ReaderState]:
    """What failed, for whoever wrote the address."""
    backoff.host_is_silent()
    if isinstance(error, ConnectionRefusedError):
        return "nobody listens there; check host and port", ReaderState.CONNECTING
    if isinstance(error, av.error.HTTPUnauthorizedError | av.error.HTTPForbiddenError):
        way = "user or password are wrong" if "***" in name else "it wants user:password@ in front"
        return f"{way} of the host", ReaderState.FAILED
    if isinstance(error, av.error.HTTPNotFoundError):
        return "the host has nothing at this path (404); check the path", ReaderState.FAILED
    if isinstance(error, av.error.InvalidDataError):
        return "it answers, but not with a video stream; check the path", ReaderState.FAILED
    return redact(f"cannot be reached: {error}"), ReaderState.CONNECTING
