"""Which ports of the fleet somebody else holds, and who."""

import socket
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import psutil

_STEP = 10
_HIGHEST = 65536


class Port(NamedTuple):
    """A port that a service will listen on, and the variable that moves it."""

    service: str
    purpose: str
    variable: str
    host: str
    number: int


class TakenPort(NamedTuple):
    """A port that cannot be had."""

    port: Port
    reason: str
    holder: str  # "" when it cannot be seen

    def line(self) -> str:
        """What is taken, and by whom."""
        port = self.port
        held = f" by {self.holder}" if self.holder else ""
        return f"port {port.number} ({port.service}, {port.purpose}) is {self.reason}{held}"


def taken_ports(ports: Iterable[Port]) -> tuple[TakenPort, ...]:
    """Try each port; those that cannot be bound, with who holds them where that can be seen."""
    faults = [(port, _fault(port.host, port.number)) for port in ports if port.number]
    return tuple(TakenPort(port, fault, holder_of(port.number)) for port, fault in faults if fault)


def way_out(taken: Sequence[TakenPort]) -> str:
    """What to do about them, as one command that works now."""
    used: set[int] = set()
    moves = []
    for port in (fault.port for fault in taken):
        used.add(number := _free_number(port, used))
        moves.append(f"{port.variable}={number}")
    return f"stop what holds {'it' if len(moves) == 1 else 'them'}, or: {' '.join(moves)} make run"


def _free_number(port: Port, used: set[int]) -> int:
    """The next number that nobody holds, well above those of the fleet's other ports."""
    numbers = range(max(port.number, 1024) + _STEP, _HIGHEST, _STEP)
    free = (n for n in numbers if n not in used and not _fault(port.host, n))
    return next(free, port.number)


def holder_of(number: int) -> str:
    """`pid 123 (python -m http.server)`, or "" when the holder is another user's or gone."""
    try:
        listening = psutil.net_connections(kind="tcp")
    except psutil.Error:
        return ""
    for connection in listening:
        here: int | None = getattr(connection.laddr, "port", None)
        if connection.status == psutil.CONN_LISTEN and here == number:
            return _described(connection.pid)
    return ""


def _fault(host: str, number: int) -> str:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the services do
        try:
            probe.bind((host, number))
        except PermissionError:
            return "not allowed for this user (below 1024)"
        except OSError as error:
            return "in use" if "in use" in str(error) else str(error)
    return ""


def _described(pid: int | None) -> str:
    if pid is None:
        return ""
    try:
        command = " ".join(psutil.Process(pid).cmdline())
    except psutil.Error:
        command = ""
    return f"pid {pid} ({command[:80]})" if command else f"pid {pid}"
