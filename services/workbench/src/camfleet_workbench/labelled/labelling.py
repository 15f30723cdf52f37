"""Pictures that are labelled by a model for a person to correct, or by the demo that knows all."""

import json
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Self

from av.video.frame import VideoFrame

from camfleet.cli.capture_client import key_header
from camfleet.cli.errors import CommandError
from camfleet.cli.settings import command_settings
from camfleet.video.frames import Frame
from camfleet_contracts.direct import capture_http_address, read_service
from camfleet_contracts.settings import FleetSettings
from camfleet_workbench.frames import camera_frames
from camfleet_workbench.labelled.coco import LabelledPictures, objects_of
from camfleet_workbench.models import connect
from camfleet_workbench.plainly import plainly

_ASK_EVERY_S = 0.1
_PATIENCE_S = 5.0
_LEAST_VISIBLE = 0.3  # share of a box within the picture, as the demo's own score counts


@plainly
def label_frames(
    pictures: Sequence[VideoFrame], model: str, confidence: float = 0.4
) -> LabelledPictures:
    """Let a served model label pictures; what it gets wrong is for a person to correct.

    Raises:
        CellError: the model cannot be asked.
    """
    detector = connect()
    answers = [detector.detect(picture, model, confidence) for picture in pictures]
    found = tuple(answer.detections for answer in answers)
    named = answers[0].model.manifest.labels if answers else ()
    labels = named or tuple(sorted({label for one in found for label in one.labels}))
    return LabelledPictures(labels, tuple(pictures), found)


@plainly
def label_from_truth(
    camera: str = "street", count: int = 40, every_s: float = 0.5
) -> LabelledPictures:
    """Pictures of a camera that shows the demo scene, with the boxes that the scene knows.

    The truth is asked for ten times a second; boxes in between are interpolated to the moment
    that a picture was taken.

    Raises:
        CellError: there is no such camera, or it shows no demo scene.
    """
    settings = command_settings()
    with _Truth(settings, camera) as truth, closing(camera_frames(camera, every_s)) as shown:
        began_s = truth.moments[0].time_s
        timed = (one for one in shown if _has_own_time(one) and _moment_of(one) > began_s)
        frames = list(islice(timed, count))
        truth.wait_for(_moment_of(frames[-1]))
    objects = [_objects(_at(truth.moments, frame), frame) for frame in frames]
    labels = tuple(sorted({label for one in objects for _, label in one}))
    found = [
        objects_of([b for b, _ in one], [label for _, label in one], labels) for one in objects
    ]
    return LabelledPictures(labels, tuple(frame.picture for frame in frames), tuple(found))


@dataclass(frozen=True, slots=True)
class _Moment:
    """What the scene shows at a moment; boxes are shares of the picture."""

    time_s: float  # since 1970
    boxes: dict[int, tuple[float, ...]]
    labels: dict[int, str]


class _Truth:
    """Asks capture for the truth of a camera until the block ends, in a thread of its own."""

    def __init__(self, settings: FleetSettings, camera: str) -> None:
        self._url = f"{capture_http_address(settings)}/cameras/{camera}/truth"
        self._headers = key_header(settings)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="truth", daemon=True)
        self.moments: list[_Moment] = []

    def __enter__(self) -> Self:
        self.moments.append(self._ask())
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join(5)

    def wait_for(self, moment_s: float) -> None:
        """Wait until an answer is from after a moment.

        Raises:
            CommandError: none is.
        """
        ends_s = time.monotonic() + _PATIENCE_S
        while self.moments[-1].time_s < moment_s:
            if time.monotonic() > ends_s:
                raise CommandError(
                    f"{self._url} tells only of moments before the picture; are the clocks of "
                    "camera and notebook the same?"
                )
            time.sleep(_ASK_EVERY_S)

    def _run(self) -> None:
        while not self._stopped.wait(_ASK_EVERY_S):
            try:
                self.moments.append(self._ask())
            except CommandError:  # one answer less; too few are noticed when boxes are looked up
                continue

    def _ask(self) -> _Moment:
        try:
            document = json.loads(read_service(self._url, 2.0, self._headers))
        except (OSError, ValueError) as error:
            raise CommandError(
                f"{self._url} tells no truth ({error}); only cameras with a demo: source know it"
            ) from error
        return _moment(document)


def _moment(document: dict[str, Any]) -> _Moment:
    started = datetime.fromisoformat(document["started_at"]).timestamp()
    boxes = {item["id"]: tuple(item["box"]) for item in document["objects"]}
    labels = {item["id"]: str(item["label"]) for item in document["objects"]}
    return _Moment(started + float(document["time_s"]), boxes, labels)


def _has_own_time(frame: Frame) -> bool:
    """False for the first pictures of a connection, before the sender has told its clock."""
    return frame.captured_at != frame.received_at


def _moment_of(frame: Frame) -> float:
    return frame.captured_at.timestamp()


def _at(moments: Sequence[_Moment], frame: Frame) -> _Moment:
    """The truth at the moment of a frame, between the two answers around it."""
    at_s = _moment_of(frame)
    later = next(n for n, one in enumerate(moments) if one.time_s >= at_s)
    before, after = moments[later - 1], moments[later]
    share = (at_s - before.time_s) / max(after.time_s - before.time_s, 1e-6)
    boxes = {
        key: tuple(a + (b - a) * share for a, b in zip(box, after.boxes[key], strict=True))
        for key, box in before.boxes.items()
        if key in after.boxes
    }
    return _Moment(at_s, boxes, before.labels)


def _objects(moment: _Moment, frame: Frame) -> list[tuple[list[float], str]]:
    width, height = frame.size
    sides = (width, height, width, height)
    placed = []
    for key, box in moment.boxes.items():
        inside = [min(max(edge, 0.0), 1.0) for edge in box]
        area = (box[2] - box[0]) * (box[3] - box[1])
        shown = (inside[2] - inside[0]) * (inside[3] - inside[1])
        if shown > _LEAST_VISIBLE * area:
            corners = [edge * side for edge, side in zip(inside, sides, strict=True)]
            placed.append((corners, moment.labels[key]))
    return placed
