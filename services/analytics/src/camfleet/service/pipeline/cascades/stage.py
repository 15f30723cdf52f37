"""The cascades of one camera: objects go in, what is known of them comes out."""

import av

from camfleet.detections import Detections
from camfleet.inference.crops import crop, rectangle_of
from camfleet.inference.detector import Detected, Detector
from camfleet.service.analysis import Attributes
from camfleet.service.pipeline.asking import ModelAsker
from camfleet.service.pipeline.cascades.views import Views
from camfleet.service.pipeline.cascades.votes import Votes
from camfleet.service.pipeline.cascades.worker import CascadeWorker, View
from camfleet.service.pipeline.ports import Outlet
from camfleet.video.frames import Frame
from camfleet_contracts.events import Attribute
from camfleet_contracts.stages import Cascade


class RunningCascade:
    """One second model at work."""

    def __init__(self, cascade: Cascade, detector: Detector, outlet: Outlet) -> None:
        self.cascade = cascade
        self.asker = ModelAsker(cascade.model, detector, outlet)
        self.worker = CascadeWorker(f"{outlet.origin.camera}-{cascade.name}", self._ask)
        self._views, self._votes = Views(cascade), Votes()

    def look(self, frame: Frame, objects: Detections) -> None:
        """Take in what was said meanwhile, and let the model be asked about who is due."""
        for said in self.worker.take():
            self._votes.add(said.view.track, said.view.box, said.answer)
        if not self.worker.is_free or self.asker.is_resting:
            return
        chosen = self._views.choose(objects, frame.pts_s)
        if views := [self._view_of(frame, objects, index) for index in chosen]:
            self.worker.give(views)

    def known(self, objects: Detections) -> dict[int, Attribute]:
        """What is known of these objects, by track."""
        ids = [] if objects.tracker_id is None else objects.tracker_id.tolist()
        read = [(track, self._votes.read(track, objects.xyxy[i])) for i, track in enumerate(ids)]
        return {track: attribute for track, attribute in read if attribute is not None}

    def _view_of(self, frame: Frame, objects: Detections, index: int) -> View:
        assert objects.tracker_id is not None  # noqa: S101 - `choose` found it
        box, track = objects.xyxy[index], int(objects.tracker_id[index])
        left, top, right, bottom = box.tolist()
        self._views.note(track, (right - left) * (bottom - top), frame.pts_s)
        cut = rectangle_of((left, top, right, bottom), frame.size, self.cascade.margin)
        return View(track, box.copy(), cut, crop(frame.picture, cut))

    def _ask(self, picture: av.VideoFrame) -> Detected | None:
        return self.asker.ask(picture, self.cascade.confidence)


class Cascades:
    """All of one camera. Belongs to the pipeline's thread; others read `running`."""

    def __init__(self, detector: Detector, outlet: Outlet) -> None:
        self.running: tuple[RunningCascade, ...] = ()  # replaced, never changed
        self._detector, self._outlet = detector, outlet

    def use(self, wanted: tuple[Cascade, ...]) -> None:
        """Take over new settings; a cascade that did not change knows what it knew."""
        kept = {one.cascade: one for one in self.running if one.cascade in wanted}
        gone = [one for one in self.running if one.cascade not in wanted]
        self.running = tuple(
            kept.get(cascade) or RunningCascade(cascade, self._detector, self._outlet)
            for cascade in wanted
        )
        for one in gone:
            one.worker.stop()

    def look(self, frame: Frame, objects: Detections) -> Attributes:
        """What is known of the tracked objects of a frame, as far as it was said by now."""
        known: dict[int, dict[str, Attribute]] = {}
        for one in self.running:
            one.look(frame, objects)
            for track, attribute in one.known(objects).items():
                known.setdefault(track, {})[one.cascade.name] = attribute
        return known
