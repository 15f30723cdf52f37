"""What FFmpeg's errors mean where the stream comes from capture."""

from collections.abc import Callable

import av.error

from camfleet.video.backoff import Backoff
from camfleet.video.connection import ReaderState
from camfleet_contracts.redaction import redact

Explanation = Callable[[Exception, Backoff], tuple[str, ReaderState]]


def explain_at_capture(error: Exception, backoff: Backoff) -> tuple[str, ReaderState]:
    """What failed, as a sentence with the way out, and whether the camera was there at all."""
    if isinstance(error, ConnectionRefusedError):
        return "nobody listens at its address; is capture running?", ReaderState.CONNECTING
    if isinstance(error, av.error.HTTPNotFoundError):
        return "capture does not send this camera (404); see its state there", ReaderState.FAILED
    if isinstance(error, av.error.HTTPUnauthorizedError):
        return "user or password are wrong; see `credentials` in cameras.yaml", ReaderState.FAILED
    if isinstance(error, av.error.HTTPError):
        return (
            "capture has no picture of this camera yet; see its state there",
            ReaderState.CONNECTING,
        )
    if isinstance(error, av.error.InvalidDataError):
        backoff.host_is_silent()
        return "its address answers, but not with a stream", ReaderState.FAILED
    backoff.host_is_silent()
    return redact(f"cannot be reached: {error}"), ReaderState.CONNECTING
