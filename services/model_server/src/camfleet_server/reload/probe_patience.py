"""How long a probe is waited for: on a machine that has no core for it, longer."""

import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

_NANOSECONDS = 1e9
_PROCESSES = Path("/proc")


def waited_for_core_s(pid: int, processes: Path = _PROCESSES) -> float:
    """Seconds that the thread of a process that waited most was ready to run and had no core.

    The second number of /proc/<pid>/task/<tid>/schedstat; 0 where the kernel does not count.
    """
    waited = [0.0]
    for file in (processes / str(pid) / "task").glob("*/schedstat"):
        with suppress(OSError, ValueError, IndexError):  # a thread that has just ended
            waited.append(int(file.read_text().split()[1]) / _NANOSECONDS)
    return max(waited)


def has_answer_within(
    limit_s: float,
    connection: Connection,
    waited_s: Callable[[], float],
    clock: Callable[[], float] = time.monotonic,
) -> bool:
    """Wait for an answer; what the other side waited for a core does not count."""
    began_at, waited_before_s = clock(), waited_s()
    while True:
        left_s = limit_s + (waited_s() - waited_before_s) - (clock() - began_at)
        if left_s <= 0:
            return False
        if connection.poll(left_s):
            return True
