"""What a connection needs of its server."""

from typing import Protocol

from camfleet_capture.rtsp.auth import Authenticator
from camfleet_capture.rtsp.broadcast import Broadcast
from camfleet_capture.rtsp.limits import AddressLimits
from camfleet_capture.rtsp.outputs import UdpSockets
from camfleet_capture.stream import Stream


class Host(Protocol):
    """The server, to one of its connections."""

    authenticator: Authenticator | None
    limits: AddressLimits

    def find(self, camera: str) -> Stream | None:
        """Return the stream at this path."""

    def fault(self, camera: str) -> str:
        """Say why the camera shows nothing."""

    def broadcast(self, stream: Stream, *, with_delimiter: bool) -> Broadcast:
        """Return the packetisation that readers of this kind share."""

    async def udp_sockets(self) -> UdpSockets:
        """Return the pair of UDP sockets, opened on first use."""

    def last_control_packet(self, address: tuple[str, int]) -> float:
        """Return time.monotonic() of the last RTCP packet from there, 0 for none."""
