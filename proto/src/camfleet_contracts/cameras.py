"""cameras.yaml: the cameras and what analytics does with each."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from camfleet_contracts.files import locked, write_atomically
from camfleet_contracts.names import CAMERA_NAME, split_version
from camfleet_contracts.settings import FleetSettings

Point = tuple[float, float]
SourceKind = Literal[
    "v4l2", "auto", "picamera", "rtsp", "http", "file", "folder", "demo", "testcard"
]
_WORDS: dict[str, SourceKind] = {"auto": "auto", "picamera": "picamera", "testcard": "testcard"}
_CREDENTIALS = re.compile(r"\$\{(env|file):([^}]+)\}")
_STREAM_URL = {"rtsp": "rtsp", "rtsps": "rtsp", "http": "http", "https": "http"}


class BadCameras(Exception):
    """cameras.yaml cannot be used; the text names file, line, camera and field."""

    def __init__(self, path: Path, reason: str, line: int | None = None) -> None:
        self.path, self.reason, self.line = path, reason, line
        super().__init__(f"{path}{f':{line}' if line else ''}: {reason}")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Line(_Part):
    """A counting line; points are relative (0..1) to the picture's width and height."""

    name: str = Field(min_length=1, max_length=64)
    start: Point = Field(alias="from")
    end: Point = Field(alias="to")
    labels: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _two_points(self) -> "Line":
        if self.start == self.end:
            raise ValueError("from and to must be two different points")
        return self


class Zone(_Part):
    """A polygon; points are relative (0..1) to the picture's width and height."""

    name: str = Field(min_length=1, max_length=64)
    polygon: tuple[Point, ...] = Field(min_length=3)
    labels: tuple[str, ...] = ()


class Tracker(_Part):
    """Which tracker follows the objects, and its parameters."""

    model_config = ConfigDict(frozen=True, extra="allow")

    kind: Literal["bytetrack", "sort", "ocsort", "botsort"] = "bytetrack"


class Pipeline(_Part):
    """What analytics does with a camera; `fps` is the rate of inference, per second."""

    model: str = "demo-street"
    fps: float = Field(5, gt=0, le=120)
    confidence: float = Field(0.5, ge=0, le=1)
    labels: tuple[str, ...] = ()
    motion: bool = False
    tracker: Tracker = Tracker()
    zones: tuple[Zone, ...] = ()
    lines: tuple[Line, ...] = ()
    sinks: tuple[Literal["websocket", "mqtt", "nats", "webhook", "file"], ...] = ("websocket",)
    results_rate: float = Field(5, gt=0, le=120)

    @field_validator("model")
    @classmethod
    def _model_name(cls, model: str) -> str:
        split_version(model)
        return model


class Camera(_Part):
    """One camera with its complete pipeline (defaults filled in)."""

    name: str
    source: str = Field(min_length=1)
    detect_source: str | None = None
    credentials: str | None = None
    enabled: bool = True
    pipeline: Pipeline = Pipeline()

    @field_validator("name")
    @classmethod
    def _camera_name(cls, name: str) -> str:
        if not CAMERA_NAME.fullmatch(name):
            raise ValueError("use 1 to 32 of a-z, 0-9 and '-'")
        return name

    @field_validator("credentials")
    @classmethod
    def _only_references(cls, text: str | None) -> str | None:
        if text is not None and not _CREDENTIALS.fullmatch(text):
            raise ValueError("must be ${env:NAME} or ${file:PATH}, never the password itself")
        return text

    @field_validator("source", "detect_source")
    @classmethod
    def _known_kind(cls, source: str | None) -> str | None:
        if source is not None:
            source_kind(source)
        return source


class CamerasFile(_Part):
    """All cameras, in the order of the file."""

    version: Literal[1] = 1
    cameras: tuple[Camera, ...] = ()

    def find(self, name: str) -> Camera | None:
        """Return the camera of this name."""
        return next((camera for camera in self.cameras if camera.name == name), None)


def source_kind(source: str) -> SourceKind:
    """Tell what a source is from its text alone.

    Raises:
        ValueError: the scheme is none that camfleet opens.
    """
    if kind := _WORDS.get(source):
        return kind
    scheme, colon, _ = source.partition(":")
    if source.startswith("/dev/"):
        return "v4l2"
    if colon and scheme == "demo":
        return "demo"
    if "://" in source:
        if scheme not in _STREAM_URL:
            raise ValueError(f"scheme {scheme!r} is not one of rtsp, rtsps, http, https")
        return "rtsp" if _STREAM_URL[scheme] == "rtsp" else "http"
    return "folder" if source.endswith("/") or _is_folder(source) else "file"


def _is_folder(source: str) -> bool:
    try:
        return Path(source).is_dir()
    except OSError:  # not to be read, or no name a file can have: its camera will say so
        return False


def read_cameras(path: Path, settings: FleetSettings | None = None) -> CamerasFile:
    """Read cameras.yaml; `settings` adds the camera of `CAMERA_SOURCE` unless the name is taken.

    Raises:
        BadCameras: the file cannot be read or used.
    """
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise BadCameras(path, f"cannot be read: {reason}") from error
    parsed = parse_cameras(text, path=path)
    extra = _camera_of_environment(settings) if settings else None
    if extra is None or parsed.find(str(extra["name"])):
        return parsed
    return parsed.model_copy(
        update={"cameras": (*parsed.cameras, _parse_one(extra, {}, path, None))}
    )


def parse_cameras(text: str, *, path: Path) -> CamerasFile:
    """Parse the text of cameras.yaml.

    Raises:
        BadCameras: with the line of the camera at fault.
    """
    document = _load(text, path)
    if document is None:
        return CamerasFile()
    if not isinstance(document, dict) or not isinstance(document.get("cameras") or [], list):
        raise BadCameras(path, "needs a list 'cameras' at the top level")
    if unknown := set(document) - {"version", "defaults", "cameras"}:
        raise BadCameras(path, f"unknown key {min(unknown)!r}", 1)
    if document.get("version", 1) != 1:
        raise BadCameras(path, f"version {document['version']!r}: this build reads version 1", 1)
    defaults = _parse_defaults(document.get("defaults") or {}, path, _line_of(document, "defaults"))
    entries = document.get("cameras") or []
    cameras = tuple(
        _parse_one(entry, defaults, path, _line_of(entries, number))
        for number, entry in enumerate(entries)
    )
    _refuse_twins(cameras, entries, path)
    return CamerasFile(cameras=cameras)


@contextmanager
def edit_cameras(path: Path) -> Iterator[CommentedMap]:
    """Change cameras.yaml under its lock, comments kept; written atomically when it stays valid.

    Raises:
        BadCameras: the file before or after the change cannot be used.
    """
    with locked(path):
        text = path.read_text() if path.is_file() else "version: 1\ncameras: []\n"
        parse_cameras(text, path=path)
        document = _load(text, path)
        document = CommentedMap(version=1) if document is None else document
        if document.get("cameras") is None:
            document["cameras"] = []
        yield document
        after = _dump(document)
        parse_cameras(after, path=path)
        if after != text:
            write_atomically(path, after)


def resolve_credentials(text: str | None, env: dict[str, str]) -> tuple[str, str] | None:
    """Return (user, password) of `${env:NAME}` or `${file:PATH}`; None when `text` is None.

    Raises:
        ValueError: what it refers to is missing or is not `user:password`. Never holds the secret.
    """
    if text is None or not (match := _CREDENTIALS.fullmatch(text)):
        return None
    kind, name = match.groups()
    try:
        value = env[name] if kind == "env" else Path(name).read_text().strip()
    except (KeyError, OSError) as error:
        raise ValueError(f"credentials {text}: not there") from error
    user, colon, password = value.partition(":")
    if not colon:
        raise ValueError(f"credentials {text}: must hold user:password")
    return user, password


def _load(text: str, path: Path) -> Any:
    try:
        return YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise BadCameras(path, f"not valid YAML: {error.problem}", line) from error
    except (YAMLError, ValueError) as error:
        raise BadCameras(path, f"not valid YAML: {error}") from error


def _dump(document: CommentedMap) -> str:
    buffer = StringIO()
    YAML(typ="rt").dump(document, buffer)
    return buffer.getvalue()


def _line_of(container: Any, key: str | int) -> int | None:
    try:
        return int(container.lc.data[key][0]) + 1
    except (AttributeError, KeyError, TypeError):
        return None


def _parse_defaults(defaults: Any, path: Path, line: int | None) -> dict[str, Any]:
    if not isinstance(defaults, dict):
        raise BadCameras(path, "defaults: must be a mapping", line)
    try:
        Pipeline(**defaults)
    except (ValidationError, TypeError) as error:
        raise BadCameras(path, f"defaults: {_reasons(error)}", line) from error
    return dict(defaults)


def _parse_one(entry: Any, defaults: dict[str, Any], path: Path, line: int | None) -> Camera:
    if not isinstance(entry, dict):
        raise BadCameras(path, "a camera must be a mapping with name and source", line)
    pipeline = entry.get("pipeline") or {}
    try:
        if not isinstance(pipeline, dict):
            raise TypeError("pipeline: must be a mapping")  # noqa: TRY301 - one report for all faults
        return Camera(**{**entry, "pipeline": {**defaults, **pipeline}})
    except (ValidationError, TypeError) as error:
        raise BadCameras(path, f"camera {entry.get('name')!r}: {_reasons(error)}", line) from error


def _reasons(error: ValidationError | TypeError) -> str:
    if isinstance(error, TypeError):
        return str(error)
    faults = error.errors(include_url=False)
    return "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in faults)


def _refuse_twins(cameras: tuple[Camera, ...], entries: Any, path: Path) -> None:
    seen: set[str] = set()
    for number, camera in enumerate(cameras):
        if camera.name in seen:
            raise BadCameras(
                path, f"camera {camera.name!r}: named twice", _line_of(entries, number)
            )
        seen.add(camera.name)


def _camera_of_environment(settings: FleetSettings) -> dict[str, Any] | None:
    if not settings.camera_source:
        return None
    pipeline = {
        "model": settings.camera_model,
        "fps": settings.camera_fps,
        "confidence": settings.camera_confidence,
    }
    given = {key: value for key, value in pipeline.items() if value is not None}
    return {"name": settings.camera_name, "source": settings.camera_source, "pipeline": given}
