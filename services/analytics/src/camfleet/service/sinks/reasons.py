"""Why the other side of a sink cannot be reached, in words."""

import os
import socket
import ssl
from collections.abc import Iterator


def in_words(error: BaseException) -> str:
    """What the operating system said, without its numbers; else what the error says of itself."""
    for cause in _causes(error):
        if isinstance(cause, ConnectionRefusedError):
            return "connection refused: nothing listens there"
        if isinstance(cause, socket.gaierror):
            return f"{str(cause.strerror).lower()}; check the address"
        if isinstance(cause, OSError) and cause.errno and not isinstance(cause, ssl.SSLError):
            return os.strerror(cause.errno).lower()
        if isinstance(cause, TimeoutError):
            return "no answer in time"
    return str(error) or type(error).__name__


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error, and what it came of; of several at once the first."""
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        else:
            error = error.__cause__ or error.__context__
