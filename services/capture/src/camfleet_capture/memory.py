"""Memory of the process as glibc keeps it; elsewhere it is left as it is."""

import ctypes
import logging
from functools import cache

_M_ARENA_MAX = -8

logger = logging.getLogger(__name__)


def share_one_heap() -> None:
    """Let all threads take memory from one heap: what one gives back, the next one uses.

    Else every camera's thread keeps one of its own. They hardly ever ask for memory at a time.
    """
    if glibc := _glibc():
        glibc.mallopt(_M_ARENA_MAX, 1)


def give_back() -> None:
    """Let the system have the pages in which nothing is kept; of itself glibc gives back few.

    For after work that took much and is over, like probing what a source sends.
    """
    if glibc := _glibc():
        glibc.malloc_trim(0)


@cache
def _glibc() -> ctypes.CDLL | None:
    try:
        glibc = ctypes.CDLL("libc.so.6")
        _ = glibc.mallopt, glibc.malloc_trim
    except (OSError, AttributeError):
        logger.debug("heaps are left as they are reason=no glibc")
        return None
    return glibc
