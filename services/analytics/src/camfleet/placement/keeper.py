"""Keeps a private model server for as long as its owner lives; run by its path.

Usage: keeper.py FOLDER PROGRAM ARGUMENT...

The owner holds the other end of standard input. When that closes, which it does however the owner
ends, the server is asked to end, then killed, and FOLDER is removed. Should this process be
killed, the kernel ends the server with it.
"""

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import threading

_PR_SET_PDEATHSIG = 1
_PATIENCE_S = 5.0


def main() -> None:
    """Start the server and stay until the owner or the server has ended."""
    folder, *command = sys.argv[1:]
    server = subprocess.Popen(  # this process has one thread, so the hook is safe
        command,
        stdin=subprocess.DEVNULL,
        preexec_fn=_end_with_parent,  # noqa: PLW1509 - as said
    )
    threading.Thread(target=_end_after_owner, args=(server,), daemon=True).start()
    code = server.wait()
    shutil.rmtree(folder, ignore_errors=True)
    sys.exit(abs(code))


def _end_after_owner(server: "subprocess.Popen[bytes]") -> None:
    with contextlib.suppress(OSError):
        while os.read(0, 1):
            pass
    server.terminate()
    try:
        server.wait(_PATIENCE_S)
    except subprocess.TimeoutExpired:
        server.kill()


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    main()
