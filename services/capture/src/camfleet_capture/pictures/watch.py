"""Looks at the pictures of all cameras now and then, in one thread."""

import itertools
import threading
from collections.abc import Callable, Sequence

from camfleet_capture.access_unit import AccessUnit
from camfleet_capture.camera import Camera
from camfleet_capture.memory import give_back
from camfleet_capture.pictures.judgement import PictureJudge
from camfleet_contracts.logs import get_logger

# Not always the same, so that a loop of pictures does not show the same one at every look.
INTERVALS_S = (5.0, 4.1, 5.7)
# What these show may well stand still, and a loop shows the same key picture at every look.
_STILL_KINDS = frozenset({"file", "folder", "demo", "testcard"})

logger = get_logger(__name__)


class PictureWatch:
    """Tells each camera what its pictures look like; decodes one key picture each, and seldom.

    Where nothing is wrong it looks every second time: decoding is all that a look costs.
    """

    def __init__(self, cameras: Callable[[], Sequence[Camera]]) -> None:
        self._cameras = cameras
        self._judges: dict[Camera, PictureJudge] = {}
        self._rested: set[Camera] = set()  # not looked at the last time
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="picture-watch", daemon=True)

    def start(self) -> None:
        """Begin to look; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()
        self._thread.join(1)

    def look(self) -> bool:
        """Look once at every camera that is live, but for those whose turn it is to rest.

        Returns whether one of them was new: how it began took memory that is free now.
        """
        from camfleet_capture.pictures.look import look_at  # noqa: PLC0415 - heavy; no start waits

        cameras = self._cameras()
        self._judges = {camera: self._judges.get(camera) or _judge(camera) for camera in cameras}
        at_ease = {camera for camera, judge in self._judges.items() if judge.is_at_ease}
        self._rested = at_ease - self._rested
        found_new = False
        for camera, judge in self._judges.items():
            if self._stop.is_set():
                break
            if camera in self._rested and camera.is_live:
                continue
            group = _newest(camera)
            if not group:
                self._judges[camera] = _judge(camera)
                camera.picture = None
            else:
                found_new = found_new or judge.word is None
                camera.picture = judge.take(look_at(group))
        return found_new

    def _run(self) -> None:
        intervals = itertools.cycle(INTERVALS_S)
        while not self._stop.wait(next(intervals)):
            try:
                if self.look():
                    give_back()  # not every time: a look would have to ask for it again
            except Exception:  # the thread's border: the next look may succeed
                logger.exception("pictures not looked at")


def _newest(camera: Camera) -> list[AccessUnit]:
    if not camera.is_live:
        return []
    key = camera.stream.latest_key
    return camera.stream.group or ([key] if key else [])


def _judge(camera: Camera) -> PictureJudge:
    return PictureJudge(may_be_still=camera.address.kind in _STILL_KINDS)
