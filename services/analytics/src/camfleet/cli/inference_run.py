"""One run of `camfleet infer`: frames in, table or JSON or pictures out."""

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from rich.progress import track

from camfleet.cli.console import err, note, out, table
from camfleet.cli.errors import CommandError
from camfleet.cli.media import (
    BadMedia,
    Frame,
    files_of,
    frame_count,
    frame_rate,
    is_picture,
    pixels_of,
    read_frames,
)
from camfleet.cli.pictures import with_boxes, write_picture
from camfleet.detections import Detections
from camfleet.inference.detector import Detected
from camfleet.inference.errors import InferenceError, ServerBusy
from camfleet.placement.choice import Place, access_of
from camfleet.placement.connections import open_at
from camfleet.predictions import base_service, predictions_of
from camfleet.writers.video_file import VideoWriter
from camfleet_contracts.clock import now_utc
from camfleet_contracts.device import device_id
from camfleet_contracts.events import (
    Envelope,
    ObjectDetectionResults,
    Origin,
    Times,
    envelope,
)
from camfleet_contracts.names import split_version
from camfleet_contracts.settings import LOCAL, FleetSettings, read_settings

_TRIES_WHEN_BUSY = 5
_DEFAULT_CONFIDENCE = 0.5


class InferenceRun:
    """Asks one model about many frames."""

    def __init__(
        self, settings: FleetSettings, model: str, *, confidence: float | None, save: Path | None
    ) -> None:
        """Connects at the first frame; a model server of this process's own is started at once.

        Raises:
            CommandError: the model's name is none, or that server cannot be had.
        """
        try:
            name, version = split_version(model)
        except ValueError as error:
            raise CommandError(f"--model: {error}") from error
        self._reference = f"{name}:{version}" if version else name
        try:
            self._connection = open_at(_place(settings), settings)
        except InferenceError as error:
            raise CommandError(str(error)) from error
        self._settings = settings
        self._confidence = confidence
        self._save = save

    def run(self, source: Path, *, as_json: bool) -> None:
        """Infer all frames of the source and write what was asked for.

        A file of a folder that cannot be read costs itself.

        Raises:
            CommandError: the file, or one of the folder, cannot be read, would be overwritten, or
                the server cannot answer.
        """
        files = files_of(source)
        self._refuse_overwriting(files)
        shown = table("file", "frames", "found")
        is_quiet = len(files) == 1 or not err.is_terminal
        try:
            self._serve()
            for path in track(files, console=err, transient=True, disable=is_quiet):
                if row := self._row_of(path, is_alone=path == source, as_json=as_json):
                    shown.add_row(path.name, *row)
        finally:
            self._connection.close()
        if not as_json:
            out.print(shown)
        if self._save:
            note(f"saved into {self._save}")
        if bad := len(files) - shown.row_count:
            raise CommandError(f"{bad} of {len(files)} files cannot be read; they are named above")

    def _refuse_overwriting(self, files: tuple[Path, ...]) -> None:
        sources = {path.resolve() for path in files}
        for target in (self._save / _saved_name(path) for path in files if self._save):
            if target.resolve() in sources:
                raise CommandError(
                    f"--save {self._save}: {target} is a source; give another folder"
                )

    def _row_of(self, path: Path, *, is_alone: bool, as_json: bool) -> tuple[str, str] | None:
        try:
            found, frames = self._run_file(path, as_json=as_json)
        except BadMedia as error:
            if is_alone:
                raise
            note(str(error))
            return None
        return str(frames), found

    def _run_file(self, path: Path, *, as_json: bool) -> tuple[str, int]:
        """Infer one file; what was found, in words, and how many frames there were."""
        counts: Counter[str] = Counter()
        frames = 0
        words = ""
        device = device_id(self._settings) if as_json else ""
        with ExitStack() as stack:
            film = self._film_of(path, stack)
            for frame in self._frames(path):
                detected = self._detect(frame)
                frames += 1
                counts.update(detected.detections.labels)
                words = _words(detected.detections)
                if as_json:
                    sys.stdout.write(_envelope(frame, detected, device).to_json() + "\n")
                if self._save:
                    self._draw(frame, detected.detections, film)
        return (words if frames == 1 else _totals(counts)), frames

    def _frames(self, path: Path) -> Iterator[Frame]:
        frames = read_frames(path)
        if is_picture(path):
            return frames
        bar = track(frames, path.name, total=frame_count(path), console=err, transient=True)
        return iter(bar)

    def _detect(self, frame: Frame) -> Detected:
        try:
            confidence = self._threshold()
            detect = self._connection.detector.detect
            for _ in range(_TRIES_WHEN_BUSY - 1):
                try:
                    return detect(frame.picture, self._reference, confidence)
                except ServerBusy:
                    continue
            return detect(frame.picture, self._reference, confidence)
        except InferenceError as error:
            raise CommandError(str(error)) from error

    def _serve(self) -> None:
        """Have a server of our own load the model; the fleet's knows its models."""
        if self._connection.models is None:
            return
        try:
            self._reference = self._connection.models.serve(self._reference, ()).name
        except InferenceError as error:
            raise CommandError(str(error)) from error

    def _threshold(self) -> float:
        if self._confidence is None:
            postprocess = self._connection.client.current(self._reference).manifest.postprocess
            self._confidence = postprocess.confidence if postprocess else _DEFAULT_CONFIDENCE
        return self._confidence

    def _film_of(self, path: Path, stack: ExitStack) -> VideoWriter | None:
        if self._save is None or is_picture(path):
            return None
        return stack.enter_context(VideoWriter(self._save / _saved_name(path), frame_rate(path)))

    def _draw(self, frame: Frame, detections: Detections, film: VideoWriter | None) -> None:
        drawn = with_boxes(pixels_of(frame.picture), detections)
        if film:
            film.write_frame(drawn)
        elif self._save:
            write_picture(self._save / _saved_name(frame.path), drawn)


def _place(settings: FleetSettings) -> Place:
    """The model server of the fleet; one of this process's own where `local` asks for it."""
    is_own = read_settings().server == LOCAL
    return Place(None) if is_own else Place(settings.server, access_of(settings))


def _saved_name(path: Path) -> str:
    """Pictures keep their names, so that `a.png` and `a.jpg` of a folder are both saved."""
    return path.name if is_picture(path) else f"{path.stem}.mp4"


def _envelope(frame: Frame, detected: Detected, device: str) -> Envelope:
    now = now_utc()
    results = ObjectDetectionResults(
        predictions=predictions_of(detected.detections),
        duration=detected.duration_s,
        model_id=detected.model.manifest.id or detected.model.name,
        model_version=detected.model.version,
    )
    origin = Origin(device, base_service=base_service(detected.model.manifest))
    tag = {"file": str(frame.path), "frame": frame.number}
    return envelope(results, origin, Times(now, now), tag=tag)


def _words(found: Detections) -> str:
    pairs = zip(found.labels, found.confidence, strict=True)
    return ", ".join(f"{label} {confidence:.2f}" for label, confidence in pairs) or "nothing"


def _totals(counts: Counter[str]) -> str:
    listed = ", ".join(f"{label} {number}" for label, number in counts.most_common())
    return listed or "nothing"
