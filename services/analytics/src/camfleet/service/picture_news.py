"""Events about what cameras' pictures look like; capture is the one who looks."""

from camfleet.service import messages
from camfleet.service.capture_watch import CaptureView
from camfleet.service.pipeline import Publisher
from camfleet_contracts.events import Origin

CLEAR = "clear"


class PictureNews:
    """Publishes an event when pictures become bad, or good again. Used by the watch's thread."""

    def __init__(self, device_id: str, publisher: Publisher) -> None:
        self._device_id, self._publisher = device_id, publisher
        self._seen: dict[str, str] = {}

    def tell(self, view: CaptureView) -> None:
        """Compare with what was told before; a camera that shows nothing keeps its last word."""
        for name, state in view.cameras.items():
            picture = state.get("picture")
            before = self._seen.get(name, CLEAR)
            if not isinstance(picture, str) or picture == before:
                continue
            self._seen[name] = picture
            reason = None if picture == CLEAR else state.get("reason")
            origin = Origin(self._device_id, name)
            event = messages.camera_picture(origin, picture, reason, before)
            self._publisher.publish_event(event)
