"""The socket that a server accepts connections on."""

import errno
import socket

from camfleet_capture.errors import PortTaken

_BACKLOG = 128
_CHOOSE = "choose another with {setting}"
_WAYS_OUT = {
    errno.EADDRINUSE: f"stop what listens there, or {_CHOOSE}",
    errno.EACCES: f"ports below 1024 are for root or need CAP_NET_BIND_SERVICE; {_CHOOSE}",
}
_OTHER_WAY_OUT = "--bind takes an address of this machine: see `ip address`, or 0.0.0.0 for all"


def listen_on(bind: str, port: int, what: str, setting: str) -> socket.socket:
    """Return a socket that listens and does not block.

    Args:
        bind: an address or name of this machine.
        port: 0 is the system's choice.
        what: what is spoken there, for messages.
        setting: names what sets the port, for messages.

    Raises:
        PortTaken: it cannot be had.
    """
    family = socket.AF_INET6 if ":" in bind else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Else an answer in two pieces waits 40 ms for the first one to be acknowledged.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        listener.bind((bind, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        way_out = _WAYS_OUT.get(error.errno or 0, _OTHER_WAY_OUT).format(setting=setting)
        why = error.strerror or error
        raise PortTaken(f"{what} port {port} on {bind}: {why}; {way_out}") from error
    listener.setblocking(False)
    return listener
