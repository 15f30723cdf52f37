"""Keeps the process alive when a client cuts off memory that is being read.

A page of a mapping that its file has no more raises SIGBUS in whichever thread reads it, be it a
vendor's. The handler puts zeros in place of the mapping and lets the thread go on, as Wayland's
library does with buffers of its clients; whose memory it was is told afterwards.

The handler is Python. It may be: the signal comes only from reading a client's memory, where no
thread holds a lock of the interpreter or of malloc (docs/decisions/0018).
"""

import ctypes
import mmap
import signal
import threading
import weakref
from collections.abc import Callable
from typing import ClassVar

import numpy as np

_WITH_ADDRESS, _MAY_NEST = 0x4, 0x40000000  # SA_SIGINFO, SA_NODEFER
_IN_PLACE = 0x10  # MAP_FIXED
_ADDRESS_AT = 16  # of si_addr in siginfo_t, 64 bits
_FAILED = ctypes.c_void_p(-1).value

_MMAP_ARGUMENTS = (
    *(ctypes.c_void_p, ctypes.c_size_t),
    *(ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long),
)
_Handler = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)


class _Action(ctypes.Structure):
    """Linux's struct sigaction as its C libraries have it."""

    _fields_: ClassVar = [
        ("handler", ctypes.c_void_p),
        ("mask", ctypes.c_byte * 128),
        ("flags", ctypes.c_int),
        ("restorer", ctypes.c_void_p),
    ]


class VanishedPages:
    """Guards mappings; there is one for the process, as there is one handler of a signal."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._guarded: dict[int, tuple[int, Callable[[], None]]] = {}  # by their first byte
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._libc.mmap.restype = ctypes.c_void_p
        self._libc.mmap.argtypes = _MMAP_ARGUMENTS
        self._former = _Action()
        self._handler = _Handler(self._on_fault)  # C keeps no reference
        self._is_installed = False

    def guard(self, mapping: mmap.mmap, on_vanished: Callable[[], None]) -> None:
        """Guard a mapping as long as it lives; `on_vanished` may do no more than set a flag."""
        start = np.frombuffer(mapping, np.uint8).ctypes.data
        with self._lock:
            if not self._is_installed:
                self._install()
            self._guarded = {**self._guarded, start: (len(mapping), on_vanished)}
        weakref.finalize(mapping, self._forget, start)

    def _forget(self, start: int) -> None:
        with self._lock:
            self._guarded = {s: kept for s, kept in self._guarded.items() if s != start}

    def _install(self) -> None:
        action = _Action(flags=_WITH_ADDRESS | _MAY_NEST)
        action.handler = ctypes.cast(self._handler, ctypes.c_void_p).value
        result = self._libc.sigaction(
            signal.SIGBUS, ctypes.byref(action), ctypes.byref(self._former)
        )
        if result:
            raise OSError(ctypes.get_errno(), "no handler for SIGBUS")
        self._is_installed = True

    def _on_fault(self, _: int, info: int, __: int) -> None:
        address = ctypes.c_void_p.from_address(info + _ADDRESS_AT).value or 0
        for start, (size, on_vanished) in self._guarded.items():
            if start <= address < start + size and self._put_zeros(start, size):
                on_vanished()
                return
        # No client's memory: the next try to read it ends as if there were no handler.
        self._libc.sigaction(signal.SIGBUS, ctypes.byref(self._former), None)

    def _put_zeros(self, start: int, size: int) -> bool:
        flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _IN_PLACE
        placed = self._libc.mmap(start, size, mmap.PROT_READ, flags, -1, 0)
        return bool(placed != _FAILED)


VANISHED_PAGES = VanishedPages()
