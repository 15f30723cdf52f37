"""The process in which files never seen before are loaded and run once.

It answers one `ProbeRequest` after the other over the inherited socket with None (all is well) or a
reason, and ends when the socket closes. The kernel ends it when its parent dies, busy or not.
"""

import ctypes
import os
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from camfleet_server.memory import trim_memory
from camfleet_server.reload.loading import load_servable, warm_up
from camfleet_server.runtimes.base import LoadError, ModelSource, VendorMissing
from camfleet_server.runtimes.table import USUAL_RUNTIME, Runtimes

_PR_SET_PDEATHSIG = 1
_OUT_OF_MEMORY = Path("/proc/self/oom_score_adj")


@dataclass(frozen=True, slots=True)
class ProbeRequest:
    """What to load, and with which runtimes."""

    source: ModelSource
    table: dict[str, str]


def main() -> None:
    """Answer requests until the parent closes the socket."""
    descriptor, parent = int(sys.argv[1]), int(sys.argv[2])
    _die_with(parent)
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C reaches the whole group; the parent ends us
    connection = Connection(descriptor)
    runtimes = _opened_runtimes()
    os.nice(5)  # requests being served go first, from here on
    with suppress(OSError):  # when memory runs out the kernel shall end us and not the server
        _OUT_OF_MEMORY.write_text("1000")
    connection.send(None)  # ready: from here on the time limit of a probe counts
    while True:
        try:
            request: ProbeRequest = connection.recv()
        except EOFError:
            return
        if dict(runtimes.table) != request.table:
            runtimes = Runtimes(request.table)
        connection.send(_try_out(request.source, runtimes))
        trim_memory()


def _opened_runtimes() -> Runtimes:
    """Import the usual runtime now, so that the first probe does not wait for it."""
    runtimes = Runtimes()
    with suppress(VendorMissing):
        runtimes.get(USUAL_RUNTIME)
    return runtimes


def _try_out(source: ModelSource, runtimes: Runtimes) -> str | None:
    try:
        servable = load_servable(source, runtimes)
        warm_up(servable, runs=1)
    except LoadError as error:
        return str(error)
    # The process ends here for this model: whatever a vendor's library raised is its reason.
    except Exception as error:  # noqa: BLE001 - the reason is sent, the parent logs it
        return f"{type(error).__name__}: {error}"
    servable.close()
    return None


def _die_with(parent: int) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the kernel knew
        sys.exit(0)


if __name__ == "__main__":
    main()
