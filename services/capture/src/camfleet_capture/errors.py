"""Everything that can be wrong with a source or the start of the service.

CaptureError
├── PortTaken            a port to listen on cannot be had
└── SourceFault          a camera gives no picture; the text is what the operator reads
    ├── SourceMissing        no such file, device or path; wrong password: a person heals it
    ├── SourceUnreadable     it is there, but it is not video this build can read
    ├── SourceUnreachable    the host does not answer, or refuses the connection
    ├── SourceStalled        connected, but no picture comes
    ├── SourceLost           it was live and ended
    └── SourceEnded          it ended as it should, and is not to begin again
"""

from collections.abc import Callable


class CaptureError(Exception):
    """Base of all errors of this service."""


class PortTaken(CaptureError):
    """The wanted port cannot be had: another process listens there, or the address is not ours."""


class SourceFault(CaptureError):
    """A camera gives no picture.

    Args:
        reason: what is wrong and with what, without passwords.
        host_answers: whether asking again soon makes sense (False waits up to 30 s).
        still_holds: tells whether opening it again would do harm; asked before it is.
    """

    def __init__(
        self,
        reason: str,
        *,
        host_answers: bool = True,
        still_holds: Callable[[], bool] = lambda: False,
    ) -> None:
        self.host_answers, self.still_holds = host_answers, still_holds
        super().__init__(reason)


class SourceMissing(SourceFault):
    """What the source names is not there, or does not let us in."""


class SourceUnreadable(SourceFault):
    """It is there, and it is not video."""


class SourceUnreachable(SourceFault):
    """The host does not answer."""


class SourceStalled(SourceFault):
    """Connected, yet no picture for longer than the stall limit."""


class SourceLost(SourceFault):
    """The source ended."""


class SourceEnded(SourceFault):
    """It was played to its end, and `loop: false` says that this was all."""
