"""cameras.yaml: the cameras and what analytics does with each."""

import re
from pathlib import Path
from typing import Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from camfleet_contracts.capturing import Capturing, Recording, Share
from camfleet_contracts.names import CAMERA_NAME, split_version
from camfleet_contracts.redaction import redact
from camfleet_contracts.secret_references import checked_reference
from camfleet_contracts.sinks import SinkSettings, checked_sink_names
from camfleet_contracts.stages import Cascade, Idle, Tiles, checked_cascades

SUB_STREAM_SUFFIX = "-sub"  # of a camera's name: where capture serves its `detect_source`
H264_SUFFIX = "-h264"  # of the path where capture shows a stream as H.264 4:2:0
Point = tuple[Share, Share]
SourceKind = Literal[
    "v4l2", "auto", "picamera", "csi", "rtsp", "http", "file", "folder", "demo", "testcard"
]
Transcode = Literal["auto", "never", "always"]
_WORDS: dict[str, SourceKind] = {"auto": "auto", "picamera": "picamera", "testcard": "testcard"}
_SENSOR = re.compile(r"(picamera|csi):\d")
_PUBLISH_TO = re.compile(r"(rtsps?)://(?:(\$\{(?:env|file):[^}]+\})@)?([^/@\s]+)(/[^\s@]+)")
_STREAM_URL = {"rtsp": "rtsp", "rtsps": "rtsp", "http": "http", "https": "http"}


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
    loiter_after_s: float | None = Field(None, gt=0, description="a stay of so long is an event")

    @model_validator(mode="after")
    def _an_area(self) -> "Zone":
        corners = zip(self.polygon, (*self.polygon[1:], self.polygon[0]), strict=True)
        if not sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in corners):
            raise ValueError("polygon: its points are on one line, so nothing is ever inside")
        return self


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
    idle: Idle | None = Field(None, description="rest on key frames while nothing moves")
    tiles: Tiles | None = Field(None, description="detect in parts of the picture, too")
    tracker: Tracker = Tracker()
    cascade: tuple[Cascade, ...] = Field((), max_length=4, description="second models")
    zones: tuple[Zone, ...] = ()
    lines: tuple[Line, ...] = ()
    sinks: tuple[str, ...] | None = Field(None, description="where events go; not given: to all")
    results_rate: float = Field(5, gt=0, le=120)

    @field_validator("sinks")
    @classmethod
    def _sink_names(cls, sinks: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return checked_sink_names(sinks)

    @field_validator("model")
    @classmethod
    def _model_name(cls, model: str) -> str:
        split_version(model)
        return model

    @model_validator(mode="after")
    def _cascades_fit(self) -> "Pipeline":
        checked_cascades(self.cascade, self.labels)
        return self

    @model_validator(mode="after")
    def _idle_sees_motion(self) -> "Pipeline":
        if self.idle is not None and not self.motion:
            raise ValueError("idle goes by the motion gate; set motion: true")
        return self


class Camera(_Part):
    """One camera with its complete pipeline (defaults filled in)."""

    name: str
    source: str = Field(min_length=1)
    detect_source: str | None = None
    credentials: str | None = None
    transcode: Transcode = Field(
        "auto",
        description="H.264 4:2:0 made of the camera's stream: auto at <name>-h264 while somebody"
        " reads it, never, or always, in place of the stream itself",
    )
    publish_to: str | None = Field(
        None,
        description="RTSP server that the stream is also pushed to; rtsp://${env:NAME}@host/path",
    )
    enabled: bool = True
    capture: Capturing = Capturing()
    recording: Recording | None = Field(None, description="keep the newest pictures on the disk")
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
        return checked_reference(text)

    @field_validator("publish_to")
    @classmethod
    def _an_rtsp_address(cls, text: str | None) -> str | None:
        if text is not None:
            split_publish_to(text)
        return text

    @field_validator("capture")
    @classmethod
    def _can_wait(cls, capture: Capturing, info: ValidationInfo) -> Capturing:
        given = (info.data.get("source"), info.data.get("detect_source"))
        for source in () if capture.real_time else filter(None, given):
            if source_kind(source) not in {"file", "folder"}:
                raise ValueError(
                    f"real_time: false is for files and folders; {redact(source)} waits for nobody:"
                    " take real_time out"
                )
        return capture

    @field_validator("recording")
    @classmethod
    def _is_worth_it(cls, recording: Recording | None, info: ValidationInfo) -> Recording | None:
        capture = info.data.get("capture")
        if recording and capture and not capture.real_time:
            raise ValueError(
                "what is read with real_time: false is on the disk already; take recording out"
            )
        return recording

    @field_validator("source", "detect_source")
    @classmethod
    def _known_kind(cls, source: str | None) -> str | None:
        if source is not None:
            source_kind(source)
        return source


class CamerasFile(_Part):
    """All cameras, in the order of the file."""

    version: Literal[1] = 1
    defaults: Pipeline = Field(Pipeline(), description="what a camera does that says nothing else")
    sinks: dict[str, SinkSettings] = Field(default_factory=dict)
    cameras: tuple[Camera, ...] = ()

    def find(self, name: str) -> Camera | None:
        """Return the camera of this name."""
        return next((camera for camera in self.cameras if camera.name == name), None)


def source_kind(source: str) -> SourceKind:
    """Tell what a source is from its text; a path that is a folder here is one.

    Raises:
        ValueError: the scheme is none that camfleet opens.
    """
    if kind := _WORDS.get(source):
        return kind
    if sensor := _SENSOR.fullmatch(source):
        return "csi" if sensor[1] == "csi" else "picamera"
    scheme, colon, _ = source.partition(":")
    if source.startswith("/dev/"):
        return "v4l2"
    if colon and scheme == "demo":
        return "demo"
    if "://" in source:
        if scheme.lower() in _STREAM_URL and scheme not in _STREAM_URL:
            raise ValueError(f"write {scheme.lower()}:// in small letters")
        if scheme not in _STREAM_URL:
            raise ValueError(f"scheme {scheme!r} is not one of rtsp, rtsps, http, https")
        return "rtsp" if _STREAM_URL[scheme] == "rtsp" else "http"
    return "folder" if source.endswith("/") or _is_folder(source) else "file"


def _is_folder(source: str) -> bool:
    try:
        return Path(source).is_dir()
    except OSError:  # not to be read, or no name a file can have: its camera will say so
        return False


def split_publish_to(text: str) -> tuple[str, str | None]:
    """Return the address without credentials, and the reference to them.

    Raises:
        ValueError: it is no such address. Never holds what may be a password.
    """
    match = _PUBLISH_TO.fullmatch(text)
    if not match:
        raise ValueError(
            "must be rtsp://host:port/path or rtsps://...; user and password go before the host,"
            " as ${env:NAME}@ or ${file:PATH}@ and in no other way"
        )
    scheme, reference, host, path = match.groups()
    return f"{scheme}://{host}{path}", reference
