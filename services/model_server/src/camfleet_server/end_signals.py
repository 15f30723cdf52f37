"""SIGTERM, SIGINT and SIGHUP as something the main thread waits for."""

import os
import signal
import time

_ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_ECHO_S = 0.05  # `timeout` and others tell a process and then its group: that is one signal


class EndSignals:
    """Takes these signals from its making on; made and used in the main thread.

    SIGHUP, which a terminal sends when it closes, stays ignored where `nohup` ignores it.

    They are blocked in every thread that is started later, but libraries start some when they are
    imported, and a signal that reaches one of those must not end the process: the handler runs
    there and writes to a pipe, which needs no lock and can interrupt nothing.
    """

    def __init__(self) -> None:
        self._read_end, write_end = os.pipe()
        os.set_blocking(write_end, False)
        signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
        is_nohup = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        self._ending = [signal.SIGTERM, signal.SIGINT] if is_nohup else list(_ENDING)
        for number in self._ending:
            signal.signal(number, lambda *_: None)
        signal.pthread_sigmask(signal.SIG_BLOCK, self._ending)

    def wait(self) -> signal.Signals:
        """Return the first that came; the next one, unless its echo, ends the process at once."""
        signal.pthread_sigmask(signal.SIG_UNBLOCK, self._ending)
        number = os.read(self._read_end, 1)[0]
        self._have_all(signal.SIG_IGN)
        time.sleep(_ECHO_S)
        self._have_all(signal.SIG_DFL)
        return signal.Signals(number)

    def _have_all(self, action: signal.Handlers) -> None:
        for ending in self._ending:
            signal.signal(ending, action)
