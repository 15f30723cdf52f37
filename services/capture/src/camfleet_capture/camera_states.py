"""All that is told of a camera over HTTP: its source, what is made of it, where it is pushed."""

from dataclasses import dataclass
from typing import Any

from camfleet_capture.camera import Camera
from camfleet_capture.camera_set import CameraSet
from camfleet_capture.publish.publishers import Publishers
from camfleet_capture.recording.recorders import Recorders
from camfleet_capture.stream_directory import StreamDirectory


@dataclass(frozen=True, slots=True)
class CameraStates:
    """Puts the state of a camera together from those who know a part of it."""

    cameras: CameraSet
    streams: StreamDirectory
    publishers: Publishers
    recorders: Recorders
    scheme: str
    rtsp_port: int

    def describe(self, camera: Camera, host: str) -> dict[str, Any]:
        """Return the state; `host` is how the asker calls this machine."""
        name = camera.stream.name
        address = f"[{host}]" if ":" in host else host
        return {
            **camera.describe(),
            "entry": self.cameras.entry_of(name),
            "h264": self.streams.describe_h264(name),
            "publishing": self.publishers.describe(name),
            "recording": self.recorders.describe(name),
            "rtsp_url": f"{self.scheme}://{address}:{self.rtsp_port}/{name}",
        }
