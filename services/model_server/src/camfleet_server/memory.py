"""glibc's memory settings for messages of several megabytes, and giving memory back."""

import ctypes
import gc
import logging

logger = logging.getLogger(__name__)

_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_M_ARENA_MAX = -8
_ONE_GIB = 1 << 30


def tune_malloc() -> None:
    """Keep big blocks in the heap: no mmap, munmap and page faults for each message."""
    libc = _open_glibc()
    if libc is None:
        return
    for option, value in (
        (_M_MMAP_THRESHOLD, _ONE_GIB),
        (_M_TRIM_THRESHOLD, _ONE_GIB),
        (_M_ARENA_MAX, 2),
    ):
        libc.mallopt(option, value)


def keep_what_is_there() -> None:
    """Leave what was made up to now out of every later garbage collection.

    Modules and wiring live as long as the process; going through them takes some 40 ms in which no
    other thread runs, at every unload and now and then in between.
    """
    gc.collect()
    gc.freeze()


def trim_memory() -> None:
    """Give free memory back to the system, after something large was unloaded."""
    gc.collect()
    libc = _open_glibc()
    if libc is not None:
        libc.malloc_trim(0)


def _open_glibc() -> ctypes.CDLL | None:
    try:
        libc = ctypes.CDLL("libc.so.6")
        _ = libc.mallopt, libc.malloc_trim
    except (OSError, AttributeError):
        logger.debug("malloc is left as it is reason=no glibc")
        return None
    return libc
