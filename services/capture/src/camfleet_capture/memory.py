"""Memory of the process as glibc keeps it."""

import ctypes
import logging

_M_ARENA_MAX = -8

logger = logging.getLogger(__name__)


def share_one_heap() -> None:
    """Let all threads take memory from one heap: what one gives back, the next one uses.

    Else every camera's thread keeps one of its own. They hardly ever ask for memory at a time.
    """
    try:
        ctypes.CDLL("libc.so.6").mallopt(_M_ARENA_MAX, 1)
    except (OSError, AttributeError):
        logger.debug("heaps are left as they are reason=no glibc")
