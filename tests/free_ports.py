"""Ports for programs that must be told theirs: free now, and given to nobody who asks for any."""

import random
import socket
from collections.abc import Sequence
from pathlib import Path

_FIRST = 10_000
_SYSTEMS_OWN = Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_port() -> int:
    """A port below those the system gives away by itself: it stays free until it is used."""
    first_of_system = int(_SYSTEMS_OWN.read_text().split()[0])
    while True:
        port = random.randrange(_FIRST, first_of_system)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port


def free_ports(names: Sequence[str]) -> dict[str, int]:
    """One for each name."""
    ports: set[int] = set()
    while len(ports) < len(names):
        ports.add(free_port())
    return dict(zip(names, ports, strict=True))


def has_ipv6() -> bool:
    """Tell whether this machine has IPv6's own address."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True
