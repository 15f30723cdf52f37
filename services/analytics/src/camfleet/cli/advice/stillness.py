"""How often a camera's picture stands still, seen by looking at it for a while."""

import threading
from dataclasses import dataclass

import av

from camfleet.cli.camera_test import address_of
from camfleet.cli.errors import CommandError
from camfleet.video.frames import Frame
from camfleet.video.motion import MotionGate
from camfleet.video.packets import Packet
from camfleet.video.reader import CameraReader, rtsp
from camfleet_contracts.settings import FleetSettings

LOOKS_S = 5.0  # pictures a second that are compared
_WAIT_S = 0.2


@dataclass(slots=True)
class Stillness:
    """What was seen; None where too little was."""

    looked: int = 0
    still: int = 0
    key_frame_s: float | None = None

    @property
    def share(self) -> float | None:
        """Of the pictures, how many showed nothing new."""
        return self.still / self.looked if self.looked > LOOKS_S else None


class Watcher:
    """Reads one camera as analytics does, in threads of this command."""

    def __init__(self, settings: FleetSettings, camera: str) -> None:
        """Raises CommandError when there is no address to read."""
        address = address_of(settings, camera)
        self.seen = Stillness()
        self._gate, self._next_s = MotionGate(), 0.0
        self._key_s: float | None = None
        self._reader = CameraReader(camera, rtsp(lambda: address), self)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._look, name=f"look-{camera}", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._reader.start()
        self._thread.start()

    def stop(self) -> Stillness:
        """End it; what was seen."""
        self._stopped.set()
        self._thread.join(2)
        self._reader.stop()
        return self.seen

    def push_stream(self, stream: av.VideoStream) -> None:  # noqa: ARG002 - a PacketSink's
        """Times begin anew."""
        self._key_s = None

    def push_packet(self, packet: Packet) -> None:
        """Learn how far key frames are apart."""
        if not packet.is_keyframe or packet.pts is None:
            return
        now_s = float(packet.pts * packet.time_base)
        if self._key_s is not None:
            self.seen.key_frame_s = now_s - self._key_s
        self._key_s = now_s

    def push_end(self) -> None:
        """Nothing to close."""

    def _look(self) -> None:
        while not self._stopped.is_set():
            frame = self._reader.slot.take(_WAIT_S)
            if frame is not None and frame.pts_s >= self._next_s:
                self._compare(frame)

    def _compare(self, frame: Frame) -> None:
        self._next_s = frame.pts_s + 1 / LOOKS_S
        self.seen.still += self._gate.is_still(frame.picture, frame.pts_s)
        self.seen.looked += 1


def watchers_of(settings: FleetSettings, cameras: list[str]) -> dict[str, Watcher]:
    """One for each camera that can be read."""
    found = {}
    for camera in cameras:
        try:
            found[camera] = Watcher(settings, camera)
        except CommandError:  # it is missing or away: nothing is known of it then
            continue
    return found
