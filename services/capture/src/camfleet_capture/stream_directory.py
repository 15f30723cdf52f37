"""Which stream is at which RTSP path: cameras, their sub-streams, and each of them as H.264."""

import asyncio
from collections.abc import Callable
from typing import Any

from camfleet_capture.camera import Camera
from camfleet_capture.camera_set import CameraSet
from camfleet_capture.stream import Stream
from camfleet_capture.transcode.transcoded import TranscodedStream
from camfleet_contracts.cameras import H264_SUFFIX

FIRST_CAMERA_PATH = "server"


class StreamDirectory:
    """Finds streams; makes the H.264 one of a camera when it is asked for.

    Belongs to the event loop.

    Args:
        on_removed: told of every stream that ends.
    """

    def __init__(
        self, cameras: CameraSet, on_removed: Callable[[Stream], None] = lambda _stream: None
    ) -> None:
        self._cameras, self.on_removed = cameras, on_removed
        self._transcoded: dict[str, TranscodedStream] = {}
        self._closing: set[asyncio.Task[None]] = set()

    def find(self, path: str) -> Stream | None:
        """Return the stream of an RTSP path; the first camera is also at `server`."""
        if camera := self._at(path):
            mode = self._cameras.transcode_of(camera.stream.name)
            return self._h264(camera).wake() if mode == "always" else camera.stream
        camera = self._at(path.removesuffix(H264_SUFFIX)) if path.endswith(H264_SUFFIX) else None
        if camera is None or self._cameras.transcode_of(camera.stream.name) == "never":
            return None
        return self._h264(camera).wake()

    def fault(self, path: str) -> str:
        """Say why there is no stream at this path, or why it shows nothing."""
        camera = self._at(path) or self._at(path.removesuffix(H264_SUFFIX))
        if camera is None:
            return f"no camera {path!r} in cameras.yaml"
        name = camera.stream.name
        if path.endswith(H264_SUFFIX) and self._cameras.transcode_of(name) == "never":
            return f"camera {name} is not transcoded: cameras.yaml says `transcode: never`"
        transcoded = self._transcoded.get(name)
        why = camera.condition.reason or (transcoded.fault if transcoded else None)
        return why or "no picture yet; try again"

    def describe_h264(self, name: str) -> dict[str, Any]:
        """Return what becomes of a camera's H.264 stream, for HTTP."""
        transcoded = self._transcoded.get(name)
        return {
            "path": None if self._cameras.transcode_of(name) == "never" else name + H264_SUFFIX,
            "readers": transcoded.stream.readers if transcoded else 0,
            "is_encoding": bool(transcoded and transcoded.is_encoding),
            "fault": transcoded.fault if transcoded else None,
        }

    def forget(self, stream: Stream) -> None:
        """End the readers of a camera's stream, and of what was made of it."""
        self.on_removed(stream)
        if transcoded := self._transcoded.pop(stream.name, None):
            self.on_removed(transcoded.stream)
            closing = asyncio.create_task(transcoded.close(), name=f"close-{stream.name}")
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)

    async def close(self) -> None:
        """End everything that was made."""
        transcoded, self._transcoded = self._transcoded, {}
        await asyncio.gather(*(one.close() for one in transcoded.values()))
        if self._closing:
            await asyncio.wait(self._closing)

    def _at(self, path: str) -> Camera | None:
        if path == FIRST_CAMERA_PATH and self._cameras.names:
            return self._cameras.get(path) or self._cameras.get(self._cameras.names[0])
        return self._cameras.get(path)

    def _h264(self, camera: Camera) -> TranscodedStream:
        name = camera.stream.name
        if name not in self._transcoded:
            always = self._cameras.transcode_of(name) == "always"
            self._transcoded[name] = TranscodedStream(
                camera.stream, lambda: camera.fps, always=always
            )
        return self._transcoded[name]
