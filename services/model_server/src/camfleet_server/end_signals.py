"""SIGTERM and SIGINT as something the main thread waits for."""

import os
import signal
import time

_ENDING = (signal.SIGTERM, signal.SIGINT)
_ECHO_S = 0.05  # `timeout` and others tell a process and then its group: that is one signal


class EndSignals:
    """Takes both signals from its making on; made and used in the main thread.

    They are blocked in every thread that is started later, but libraries start some when they are
    imported, and a signal that reaches one of those must not end the process: the handler runs
    there and writes to a pipe, which needs no lock and can interrupt nothing.
    """

    def __init__(self) -> None:
        self._read_end, write_end = os.pipe()
        os.set_blocking(write_end, False)
        signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
        for number in _ENDING:
            signal.signal(number, lambda *_: None)
        signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)

    def wait(self) -> signal.Signals:
        """Return the first that came; the next one, unless its echo, ends the process at once."""
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
        number = os.read(self._read_end, 1)[0]
        _have_both(signal.SIG_IGN)
        time.sleep(_ECHO_S)
        _have_both(signal.SIG_DFL)
        return signal.Signals(number)


def _have_both(action: signal.Handlers) -> None:
    for ending in _ENDING:
        signal.signal(ending, action)
