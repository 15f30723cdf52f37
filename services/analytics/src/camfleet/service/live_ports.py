"""What the pipelines need of live video; `camfleet.service.live.LiveHub` provides it."""

from typing import Protocol

import av
from starlette.routing import BaseRoute

from camfleet.video.frames import Frame


class Feed(Protocol):
    """Brings a stream that is read only while somebody watches; its methods must not block."""

    def begin(self) -> None:
        """The first viewer came."""

    def end(self) -> None:
        """The last one left."""


class LiveCamera(Protocol):
    """One camera's live picture. Every method is called from a thread and must not block."""

    def push_stream(self, stream: av.VideoStream) -> None:
        """The reader connected: time stamps begin anew; read the codec, keep no reference."""

    def push_packet(self, packet: "av.Packet[av.VideoStream]") -> None:
        """One demuxed packet, before it is decoded; copy its bytes, change nothing in it."""

    def push_end(self) -> None:
        """The connection was lost; the next thing that comes is push_stream."""

    def refuse(self, reason: str) -> None:
        """There is no stream to copy; tell the viewers why, until there is one."""

    def feed_with(self, feed: "Feed | None", note: str | None = None) -> None:
        """Let this feed bring the stream while somebody watches; None: it comes unasked.

        `note` tells the viewers what they see where it is not the camera's own stream.
        """

    @property
    def wants_pictures(self) -> bool:
        """True while somebody looks at the pictures with burnt-in boxes."""

    def push_picture(self, frame: Frame, result: dict[str, object] | None) -> None:
        """An inferred frame with the result as the stream sends it, or None where there is none."""


class LiveVideo(Protocol):
    """All cameras' live video, and the routes under /live that serve it."""

    def camera(self, name: str) -> LiveCamera:
        """The live picture of a camera; made on first use."""

    def remove_camera(self, name: str) -> None:
        """The camera left the file: end its viewers."""

    def close(self) -> None:
        """End all viewers."""

    def routes(self) -> list[BaseRoute]:
        """Starlette routes `/live/{camera}` (WebSocket) and `/live/{camera}.mjpg` (also)."""
