"""Wait for a condition with a deadline, in place of sleeping a guessed time."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
_pause = threading.Event()


def wait_until(condition: Callable[[], T | None], timeout_s: float, what: str) -> T:
    """Return the first truthy value of `condition`, asked every 20 ms; fail after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        _pause.wait(0.02)
    message = f"waited {timeout_s} s in vain for: {what}"
    raise AssertionError(message)
