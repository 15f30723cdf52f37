"""Opening media with PyAV: only the formats and protocols a source names, errors in words."""

import errno
import time
from dataclasses import dataclass, field

import av
from av.container import InputContainer

from camfleet_capture.alteration import NOTHING, Alteration
from camfleet_capture.coding import Coder, nominal_rate
from camfleet_capture.errors import (
    SourceFault,
    SourceMissing,
    SourceStalled,
    SourceUnreachable,
    SourceUnreadable,
)
from camfleet_capture.sources.base import SourceDetails
from camfleet_contracts.redaction import redact
from camfleet_contracts.stream_urls import unknown_host_of

OPEN_TIMEOUT_S = 5.0
STALL_LIMIT_S = 4.0


@dataclass(frozen=True, slots=True)
class Opening:
    """How to open one kind of source.

    Attributes:
        label: what the operator calls it, e.g. `file clip.mp4`.
        formats: demuxers that may read it, as libavformat names them.
        protocols: protocols that may be used on the way.
        secrets: texts that no message may hold.
        read_timeout_s: how long a read may take; a parser of libavformat's doubles it.
    """

    url: str
    label: str
    formats: str
    protocols: str
    options: dict[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    read_timeout_s: float = STALL_LIMIT_S / 2

    def open(self) -> tuple[InputContainer, av.VideoStream]:
        """Open it and find the video stream.

        Raises:
            SourceFault: it is not there, does not answer, or is not video.
        """
        options = {
            "protocol_whitelist": self.protocols,
            "format_whitelist": self.formats,
            **self.options,
        }
        begun = time.monotonic()
        try:
            container = av.open(
                self.url,
                options=options,
                metadata_errors="replace",  # titles of cameras and films may be of any encoding
                timeout=(OPEN_TIMEOUT_S, self.read_timeout_s),
            )
        except (av.error.FFmpegError, OSError, ValueError) as error:
            if time.monotonic() - begun >= OPEN_TIMEOUT_S:  # libav calls that invalid data
                raise SourceStalled(f"{self.label}: no answer in {OPEN_TIMEOUT_S:.0f} s") from None
            raise self.fault_of(error) from None  # the original text holds the URL
        if fault := _fault_of(container):
            container.close()
            raise SourceUnreadable(f"{self.label}: {fault}")
        return container, container.streams.video[0]

    def fault_of(self, error: Exception) -> SourceFault:
        """Say in words what an error of libavformat means for this source."""
        for kinds, fault, text in _MEANINGS:
            if isinstance(error, kinds):
                return fault(f"{self.label}: {text}", host_answers=fault is not SourceUnreachable)
        detail = getattr(error, "strerror", None) or str(error)
        is_local = "://" not in self.url
        if getattr(error, "errno", None) == errno.EIO:
            return self._fault_of_cut_off(is_local=is_local)
        if isinstance(error, OSError):
            text = redact(f"{self.label}: {detail}", *self.secrets)
            return SourceUnreachable(text, host_answers=is_local)
        return SourceUnreadable(
            redact(f"{self.label}: not a video this build can read: {detail}", *self.secrets)
        )

    def _fault_of_cut_off(self, *, is_local: bool) -> SourceFault:
        if is_local:
            return SourceUnreadable(f"{self.label}: is cut off, or its disk cannot be read")
        if unknown := unknown_host_of(self.url):
            return SourceUnreachable(f"{self.label}: {unknown}", host_answers=False)
        no_tls = "speaks no TLS there, " if self.url.startswith(("rtsps:", "https:")) else ""
        return SourceStalled(f"{self.label}: {no_tls}broke off, or sends nothing that is video")


def _fault_of(container: InputContainer) -> str | None:
    if not container.streams.video:
        return "holds no video"
    known: object = container.streams.video[0].codec_context  # None where there is no decoder
    return None if known else "its kind of video is none that this build can read"


_ErrorKinds = tuple[type[Exception], ...]
_MEANINGS: tuple[tuple[_ErrorKinds, type[SourceFault], str], ...] = (
    ((FileNotFoundError,), SourceMissing, "not there; check the path"),
    ((PermissionError,), SourceMissing, "no permission to read it"),
    ((IsADirectoryError,), SourceMissing, "is a folder"),
    (
        (av.error.HTTPUnauthorizedError, av.error.HTTPForbiddenError),
        SourceMissing,
        "the camera refuses the user or password; check credentials",
    ),
    ((av.error.HTTPNotFoundError,), SourceMissing, "the camera knows no such path (404)"),
    (
        (av.error.HTTPClientError,),  # all others of 4xx
        SourceUnreachable,
        "the camera refuses the request (4xx); does it have too many readers, or no video here?",
    ),
    ((av.error.HTTPServerError,), SourceUnreachable, "the camera answers with an error (5xx)"),
    ((ConnectionRefusedError,), SourceUnreachable, "connection refused; is the camera on?"),
    ((av.error.ExitError, TimeoutError), SourceStalled, "no data for too long"),
)


def describe(
    stream: av.VideoStream, coder: Coder, alteration: Alteration = NOTHING
) -> SourceDetails:
    """Return what is known of the pictures before the first one."""
    context = stream.codec_context
    width, height = alteration.size_of(context.width, context.height)
    return SourceDetails(coder.codec, width, height, nominal_rate(stream))
