"""HTTP: clips of a recording by time, and pictures out of it."""

import asyncio
import errno
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

import av
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from camfleet_capture.recording.clips import LONGEST_S, NotRecorded, cut_clip, picture_at
from camfleet_capture.recording.disk_work import Result, ServiceEnds
from camfleet_capture.recording.recorder import Recorder
from camfleet_capture.recording.recorders import Recorders
from camfleet_capture.recording.ring import Segment
from camfleet_contracts.clock import rfc3339_from_unix

ARRIVES_WITHIN_S, LOOKED_EVERY_S = 10.0, 0.1  # what has just been, on the disk
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})


@dataclass(frozen=True, slots=True)
class Clip:
    """A file and the Unix times it covers; `close` lets it go."""

    path: Path
    started_at: float
    ends_at: float
    close: Callable[[], None]


@dataclass(frozen=True, slots=True)
class RecordingApi:
    """Answers from the files on the disk."""

    recorders: Recorders

    async def clip(self, request: Request) -> Response:
        """`from` and `to` are RFC 3339 or Unix times; `to` may be left out: now."""
        name = request.path_params["name"]
        recorder = self._recorder_of(name)
        now = time.time()
        start, end = _moment(request, "from", None), _moment(request, "to", now)
        if not 0 < end - start <= LONGEST_S:
            raise HTTPException(
                400, f"from and to must be up to {LONGEST_S:.0f} s apart, from before to"
            )
        work = partial(_cut, folder=recorder.folder, span=(start, end))
        clip: Clip = await self._read(recorder, work)
        return FileResponse(
            clip.path,
            media_type="video/mp4",
            filename=f"{name}-{rfc3339_from_unix(clip.started_at).replace(':', '')}.mp4",
            content_disposition_type="inline",
            headers={
                "x-clip-from": rfc3339_from_unix(clip.started_at),
                "x-clip-to": rfc3339_from_unix(clip.ends_at),
            },
            background=BackgroundTask(clip.close),
        )

    async def picture(self, request: Request) -> Response:
        """The recorded picture of the moment `at`, as JPEG."""
        recorder = self._recorder_of(request.path_params["name"])
        moment = _moment(request, "at", None)
        await self._wait_until_recorded(recorder, moment)
        jpeg = await self._read(recorder, partial(picture_at, moment=moment))
        return Response(jpeg, media_type="image/jpeg", headers={"Cache-Control": "no-store"})

    async def _wait_until_recorded(self, recorder: Recorder, moment: float) -> None:
        """Who hears of an event asks at once; its group of pictures is written a little later."""

        def may_come() -> bool:
            is_running = self.recorders.find(recorder.stream.name) is recorder
            return is_running and recorder.fault is None and not recorder.reaches(moment)

        while moment <= time.time() < moment + ARRIVES_WITHIN_S and may_come():  # noqa: ASYNC110 - a thread writes
            await asyncio.sleep(LOOKED_EVERY_S)

    def _recorder_of(self, name: str) -> Recorder:
        recorder = self.recorders.find(name)
        if recorder is None:
            raise HTTPException(
                404,
                f"camera {name!r} is not recorded; give it `recording: {{}}` in cameras.yaml, or "
                f"`camfleet camera record {name}`",
            )
        return recorder

    async def _read(
        self, recorder: Recorder, work: Callable[[Sequence[Segment]], Result]
    ) -> Result:
        try:
            return await self.recorders.disk_work.run(partial(_read_files, recorder, work))
        except ServiceEnds as error:
            raise HTTPException(503, "capture is ending; ask again in a moment") from error
        except NotRecorded as error:
            raise HTTPException(404, _what_there_is(recorder)) from error
        except (OSError, av.error.FFmpegError) as error:
            raise HTTPException(503, _words(recorder, error)) from error


def _read_files(recorder: Recorder, work: Callable[[Sequence[Segment]], Result]) -> Result:
    try:
        return work(recorder.segments)
    except FileNotFoundError:  # it got its last name, or made room, in this moment
        return work(recorder.segments)


def _what_there_is(recorder: Recorder) -> str:
    told = recorder.describe()
    if told["from"] is None:
        return f"nothing is recorded yet; {told['reason'] or 'try again in a moment'}"
    return f"nothing of that time is recorded; there is {told['from']} to {told['to']}"


def _moment(request: Request, name: str, default: float | None) -> float:
    text = request.query_params.get(name)
    if text is None:
        if default is None:
            raise HTTPException(400, f"{name} is missing: an RFC 3339 or Unix time")
        return default
    try:
        return float(text)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError as error:
        raise HTTPException(400, f"{name}={text!r} is not an RFC 3339 or Unix time") from error
    if moment.tzinfo is None:
        raise HTTPException(400, f"{name}={text!r} needs a time zone, as Z or +02:00")
    return moment.timestamp()


def _cut(segments: Sequence[Segment], folder: Path, span: tuple[float, float]) -> Clip:
    """Cut a clip into a file without a name beside them, which goes when it is closed.

    Clips are large, and the folder for temporary files may be memory: it is the second choice.
    """
    if not segments:
        raise NotRecorded
    try:
        return _cut_in(folder, segments, span)
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
    return _cut_in(Path(tempfile.gettempdir()), segments, span)


def _cut_in(folder: Path, segments: Sequence[Segment], span: tuple[float, float]) -> Clip:
    with ExitStack() as stack:
        file = stack.enter_context(tempfile.TemporaryFile(dir=folder))
        path = Path(f"/proc/self/fd/{file.fileno()}")
        started_at, ends_at = cut_clip(segments, *span, path)
        return Clip(path, started_at, ends_at, stack.pop_all().close)


def _words(recorder: Recorder, error: OSError | av.error.FFmpegError) -> str:
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        places = f"{recorder.folder} and {tempfile.gettempdir()}"
        return f"no clip can be cut: there is no room in {places}; {error.strerror}"
    return f"the recording cannot be read now: {error.strerror or error}"
