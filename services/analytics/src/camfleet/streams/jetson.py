"""A Jetson's ribbon camera, through GStreamer and NVIDIA's documented element nvarguscamerasrc.

OpenCV of the package index has no GStreamer, so `gst-launch-1.0` of JetPack runs as a child and
writes the pictures to a pipe. Not run on hardware; the tests put a program of their own in its
place.
"""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum

import av
from av.container import InputContainer

from camfleet.streams.errors import StreamMissing
from camfleet.streams.live import LiveVideoStream, NoSink
from camfleet.video.backoff import Backoff
from camfleet.video.connection import ReaderState
from camfleet.video.reader import CameraReader

_PROGRAM = "gst-launch-1.0"


class FrameRotation(Enum):
    """By how many degrees frames are turned, clockwise."""

    ROTATE_NONE = 0
    ROTATE_90 = 90
    ROTATE_180 = 180


class JetsonCameraMode(Enum):
    """SENSOR_WIDTHxHEIGHT_FPS_MODE: what the sensor delivers, and its number for the driver."""

    IMX219_3264x2468_21_0 = 0  # as edgeIQ spells it: the sensor delivers 3264x2464
    IMX219_3264x1848_28_1 = 1
    IMX219_1920x1080_30_2 = 2
    IMX219_1640x1232_30_3 = 3
    IMX477_4032x3040_30_0 = 4
    IMX477_1920x1080_60_1 = 5
    IMX477_2560x1440_40_3 = 7

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        if self is JetsonCameraMode.IMX219_3264x2468_21_0:
            return 3264, 2464
        width, _, height = self.name.split("_")[1].partition("x")
        return int(width), int(height)

    @property
    def rate(self) -> int:
        """Frames per second."""
        return int(self.name.split("_")[2])

    @property
    def number(self) -> int:
        """Of the sensor's mode."""
        return int(self.name.split("_")[3])


_FLIP_METHOD = {  # of nvvidconv
    FrameRotation.ROTATE_NONE: 0,
    FrameRotation.ROTATE_90: 3,
    FrameRotation.ROTATE_180: 2,
}


class JetsonVideoStream(LiveVideoStream):
    """Camera `cam` on the ribbon connector."""

    def __init__(
        self,
        cam: int = 0,
        rotation: FrameRotation = FrameRotation.ROTATE_NONE,
        camera_mode: JetsonCameraMode = JetsonCameraMode.IMX219_1920x1080_30_2,
        display_width: int = 640,
        display_height: int = 480,
    ) -> None:
        """Nothing is opened yet.

        Args:
            cam: number of the sensor.
            rotation: how frames are turned.
            camera_mode: what the sensor delivers.
            display_width: width of the frames that read() gives, before they are turned.
            display_height: their height.
        """
        super().__init__(f"Jetson camera {cam}")
        self._cam, self._rotation, self._mode = cam, rotation, camera_mode
        sides = (display_width, display_height)
        turned = rotation is FrameRotation.ROTATE_90
        self._size = (sides[1], sides[0]) if turned else sides
        self._child: subprocess.Popen[bytes] | None = None

    def stop(self) -> None:
        """Disconnect and end the child."""
        if self._child is not None:
            self._child.kill()
        super().stop()

    def _make_reader(self) -> CameraReader:
        if shutil.which(_PROGRAM) is None:
            raise StreamMissing(
                f"{self._name}: {_PROGRAM} is not installed here; on a Jetson:"
                " sudo apt install gstreamer1.0-tools"
            )
        return CameraReader(self._name, self._open, NoSink(), explain=_explain)

    @contextmanager
    def _open(self) -> Iterator[InputContainer]:
        options = {
            "video_size": f"{self._size[0]}x{self._size[1]}",
            "pixel_format": "bgr24",
            "framerate": str(self._mode.rate),
            "use_wallclock_as_timestamps": "1",
        }
        with subprocess.Popen(self._command(), stdout=subprocess.PIPE) as child:
            self._child = child
            try:
                with av.open(child.stdout, "r", "rawvideo", options) as container:
                    yield container
            finally:
                child.kill()

    def _command(self) -> list[str]:
        width, height = self._mode.size
        raw = (
            f"video/x-raw(memory:NVMM),width={width},height={height},"
            f"framerate={self._mode.rate}/1,format=NV12"
        )
        shown = f"video/x-raw,width={self._size[0]},height={self._size[1]}"
        pipeline = (
            f"nvarguscamerasrc sensor-id={self._cam} sensor-mode={self._mode.number} ! {raw}"
            f" ! nvvidconv flip-method={_FLIP_METHOD[self._rotation]} ! {shown},format=BGRx"
            f" ! videoconvert ! {shown},format=BGR ! fdsink fd=1 sync=false"
        )
        return [_PROGRAM, "-q", *pipeline.split()]


def _explain(error: Exception, _: Backoff) -> tuple[str, ReaderState]:
    reason = (
        f"{_PROGRAM} gives no pictures ({error}); check the ribbon cable, camera_mode, and that"
        " nvargus-daemon runs and /tmp/argus_socket is handed into the container"
    )
    return reason, ReaderState.FAILED
