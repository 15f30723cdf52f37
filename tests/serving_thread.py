"""Servers of the standard library that answer in a thread, as peers of what is tested."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import BaseServer
from typing import TypeVar

ServerT = TypeVar("ServerT", bound=BaseServer)

_POLLED_S = 0.02  # for the end


@contextmanager
def in_thread(server: ServerT) -> Iterator[ServerT]:
    """Have it answer until the block ends; then it is closed."""
    name = type(server).__name__
    thread = threading.Thread(target=server.serve_forever, args=(_POLLED_S,), name=name)
    with server:
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
