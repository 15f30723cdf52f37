"""What can go wrong with a stream of frames.

CamfleetError
└── StreamError
    ├── NoMoreFrames      a file is over
    ├── StreamNotStarted  read() before start(), or after stop()
    ├── StreamMissing     there is no such camera or file, or it does not answer
    └── StreamLost        it worked and gives no picture any more; read() again to wait for it
"""

from camfleet.errors import CamfleetError


class StreamError(CamfleetError):
    """Base; the text says which stream, what, and what next."""


class NoMoreFrames(StreamError):
    """A file is over."""

    def __init__(self, name: str, frames: int) -> None:
        super().__init__(f"{name}: no more frames after {frames}")


class StreamNotStarted(StreamError):
    """It is not open."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name}: not started; call start(), or use `with` around it")


class StreamMissing(StreamError):
    """It cannot be opened."""


class StreamLost(StreamError):
    """It gives no pictures any more."""
