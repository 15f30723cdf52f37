"""All cameras' live video by name."""

import threading

from starlette.routing import BaseRoute

from camfleet.service.live.camera import LiveCamera
from camfleet.service.live.routes import live_routes


class LiveHub:
    """Owns the live cameras; reader threads ask for theirs, requests look for one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cameras: dict[str, LiveCamera] = {}

    def camera(self, name: str) -> LiveCamera:
        """The live picture of a camera; made on first use."""
        with self._lock:
            return self._cameras.setdefault(name, LiveCamera(name))

    def find(self, name: str) -> LiveCamera | None:
        """The live picture of a camera that some pipeline feeds."""
        return self._cameras.get(name)

    def remove_camera(self, name: str) -> None:
        """The camera left the file: end its viewers."""
        with self._lock:
            camera = self._cameras.pop(name, None)
        if camera is not None:
            camera.close()

    def close(self) -> None:
        """End all viewers, so that their connections do not hold up the end of the service."""
        for name in list(self._cameras):
            self.remove_camera(name)

    def routes(self) -> list[BaseRoute]:
        """`/live/{camera}` (WebSocket) and `/live/{camera}.mjpg` (also)."""
        return live_routes(self.find)
