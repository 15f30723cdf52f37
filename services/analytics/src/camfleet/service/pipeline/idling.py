"""Letting the reader rest on key frames once nothing has moved for a while."""

import logging

from camfleet.service.live_ports import LiveCamera
from camfleet.video.resting import Rest
from camfleet_contracts.stages import Idle

logger = logging.getLogger(__name__)


class Idling:
    """One camera's decision to rest. Belongs to the pipeline's thread."""

    def __init__(self, camera: str, rest: Rest, live: LiveCamera) -> None:
        self._camera, self._rest, self._live = camera, rest, live
        self._idle: Idle | None = None
        self._is_logged = False

    def use(self, idle: Idle | None) -> None:
        """Take over new settings, awake."""
        self._idle, self._rest.wake_within_s, self._is_logged = idle, None, False

    def decide(self, still_for_s: float) -> None:
        """Rest or wake; who looks at pictures with burnt-in boxes wants all of them."""
        if self._idle is None:
            return
        may_rest = still_for_s >= self._idle.after_s and not self._live.wants_pictures
        self._rest.wake_within_s = self._idle.wake_within_s if may_rest else None
        obstacle = self._rest.obstacle
        if obstacle and not self._is_logged:
            logger.warning("camera cannot rest camera=%s reason=%s", self._camera, obstacle)
            self._is_logged = True
