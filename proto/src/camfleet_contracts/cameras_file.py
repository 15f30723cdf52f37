"""cameras.yaml: reading it, and saying what is wrong with it where it is wrong."""

import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from camfleet_contracts.cameras import Camera, CamerasFile, Pipeline
from camfleet_contracts.capturing import Capturing
from camfleet_contracts.faults import fault_path, fault_text, fault_words
from camfleet_contracts.gst_pipeline import entry_of_pipeline
from camfleet_contracts.settings import FleetSettings
from camfleet_contracts.sinks import SINK_KINDS, STREAM, SinkSettings, fault_of_sinks, parse_sink

_LARGEST_BYTES = 1_000_000  # a camera takes about 200; what is much larger takes minutes to parse
_SECTIONS: dict[str, type[BaseModel]] = {"capture": Capturing, "pipeline": Pipeline}
UNFORESEEN = (  # what a strange document can raise in the parsers
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
    YAMLError,
)


class BadCameras(Exception):
    """cameras.yaml cannot be used; the text names file, line, camera and field.

    `camera` and `fields` (what is wrong by the path of the value) are known where the fault is in
    the entry of one camera.
    """

    def __init__(
        self,
        path: Path,
        reason: str,
        line: int | None = None,
        camera: str | None = None,
        fields: Mapping[str, str] | None = None,
    ) -> None:
        self.path, self.reason, self.line = path, reason, line
        self.camera, self.fields = camera, dict(fields or {})
        super().__init__(f"{path}{f':{line}' if line else ''}: {reason}")


def read_cameras(
    path: Path, settings: FleetSettings | None = None, *, may_be_empty: bool = True
) -> CamerasFile:
    """Read cameras.yaml; `settings` adds the camera of `CAMERA_SOURCE` unless the name is taken.

    Raises:
        BadCameras: the file cannot be read or used.
    """
    try:
        text = read_text(path)
    except OSError as error:
        raise BadCameras(path, f"cannot be read: {error.strerror or error}") from error
    parsed = parse_cameras(text, path=path, may_be_empty=may_be_empty)
    if settings is None or parsed.find(settings.camera_name):
        return parsed
    extra = _camera_of_environment(settings, path)
    if extra is None:
        return parsed
    return parsed.model_copy(
        update={"cameras": (*parsed.cameras, _parse_one(extra, {}, path, None))}
    )


def read_text(path: Path) -> str:
    """Return the text of cameras.yaml.

    Raises:
        BadCameras: it is not a file, too large, or not UTF-8.
        OSError: it cannot be read.
    """
    status = path.stat()
    if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
        raise BadCameras(path, "is a pipe or device, which cannot be followed; name a file")
    if status.st_size > _LARGEST_BYTES:
        raise BadCameras(path, f"is larger than {_LARGEST_BYTES:,} bytes; is it another file?")
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise BadCameras(path, f"cannot be read: {error}; save it as UTF-8") from error


def parse_cameras(text: str, *, path: Path, may_be_empty: bool = True) -> CamerasFile:
    """Parse the text of cameras.yaml.

    Raises:
        BadCameras: with the line of the camera at fault.
    """
    document = load(text, path)
    if document is None and not may_be_empty:
        raise BadCameras(path, "is empty; write `cameras: []` to mean none")
    if document is None:
        return CamerasFile()
    try:
        return _parse_document(document, path)
    except UNFORESEEN as error:
        raise BadCameras(path, unforeseen(error)) from error


def _parse_document(document: Any, path: Path) -> CamerasFile:
    if not isinstance(document, dict) or not isinstance(document.get("cameras") or [], list):
        raise BadCameras(path, "needs a list 'cameras' at the top level")
    if unknown := set(document) - {"version", "defaults", "sinks", "cameras"}:
        raise BadCameras(path, f"unknown key {min(map(str, unknown))!r}", 1)
    if document.get("version", 1) != 1:
        raise BadCameras(path, f"version {document['version']!r}: this build reads version 1", 1)
    defaults = _parse_defaults(document.get("defaults") or {}, path, _line_of(document, "defaults"))
    sinks = _parse_sinks(document, path)
    entries = document.get("cameras") or []
    cameras = tuple(
        _parse_one(entry, defaults, path, _line_of(entries, number))
        for number, entry in enumerate(entries)
    )
    _refuse_twins(cameras, entries, path)
    _refuse_unknown_sinks(cameras, sinks, entries, path)
    return CamerasFile(defaults=Pipeline(**defaults), sinks=sinks, cameras=cameras)


def load(text: str, path: Path, *, keeps_quotes: bool = False) -> Any:
    """Return the document with its comments and the lines of its parts.

    With `keeps_quotes` texts know how they were quoted, for writing them again.

    Raises:
        BadCameras: it is no YAML.
    """
    yaml = YAML(typ="rt")
    yaml.preserve_quotes = keeps_quotes
    try:
        return yaml.load(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise BadCameras(path, f"not valid YAML: {error.problem}", line) from error
    except UNFORESEEN as error:
        raise BadCameras(path, f"not valid YAML: {unforeseen(error)}") from error


def unforeseen(error: Exception) -> str:
    """Say what a strange document made go wrong."""
    return "nested too deeply" if isinstance(error, RecursionError) else str(error)


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


def _parse_sinks(document: Any, path: Path) -> dict[str, SinkSettings]:
    entries = document.get("sinks") or {}
    if not isinstance(entries, dict):
        reason = "sinks: must be a mapping of names to settings"
        raise BadCameras(path, reason, _line_of(document, "sinks"))
    sinks: dict[str, SinkSettings] = {}
    for name, entry in entries.items():
        try:
            sinks[str(name)] = parse_sink(str(name), entry)
        except (ValueError, TypeError) as error:
            line = _line_of_fault(entry, error) or _line_of(entries, name)
            raise BadCameras(path, f"sink {name!r}: {_reasons(error)}", line) from error
        if fault := fault_of_sinks(sinks):
            raise BadCameras(path, f"sink {name!r}: {fault}", _line_of(entries, name))
    return sinks


def _refuse_unknown_sinks(
    cameras: tuple[Camera, ...], sinks: dict[str, SinkSettings], entries: Any, path: Path
) -> None:
    """A kind that is not set up yet is no fault of the file: analytics says so of that sink."""
    known = {STREAM, *SINK_KINDS, *sinks}
    for number, camera in enumerate(cameras):
        for name in camera.pipeline.sinks or ():
            if name not in known:
                reason = f"sink {name!r} is not under the top-level 'sinks:'"
                line = _line_of(entries, number)
                text, fields = f"camera {camera.name!r}: {reason}", {"pipeline.sinks": reason}
                raise BadCameras(path, text, line, camera.name, fields)


def _parse_one(entry: Any, defaults: dict[str, Any], path: Path, line: int | None) -> Camera:
    if not isinstance(entry, dict):
        raise BadCameras(path, "a camera must be a mapping with name and source", line)
    pipeline = entry.get("pipeline") or {}
    try:
        if not isinstance(pipeline, dict):
            raise TypeError("pipeline: must be a mapping")  # noqa: TRY301 - one report for all faults
        camera = Camera(**{**entry, "pipeline": {**defaults, **pipeline}})
        camera.model_dump_json()  # a tracker takes any value, and REST tells them all
    except (ValueError, TypeError) as error:
        name, fields = str(entry.get("name")), _fields_of(error)
        reason = f"camera {entry.get('name')!r}: {_reasons(error)}"
        raise BadCameras(path, reason, line, name, fields) from error
    return camera


def _line_of_fault(entry: Any, error: ValueError | TypeError) -> int | None:
    """The line of the setting that is wrong, where the fault names one."""
    if not isinstance(error, ValidationError):
        return None
    location = error.errors(include_url=False)[0]["loc"]
    return _line_of(entry, location[0]) if location else None


def _reasons(error: ValueError | TypeError) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    return "; ".join(map(fault_text, error.errors(include_url=False)))


def _fields_of(error: ValueError | TypeError) -> dict[str, str]:
    """What is wrong by the path of its value.

    A fault of a section as a whole begins with the name of the setting it is about.
    """
    if not isinstance(error, ValidationError):
        return {}
    fields: dict[str, str] = {}
    for fault in error.errors(include_url=False):
        words, path = fault_words(fault), fault_path(fault)
        about = re.split(r"\W", words, maxsplit=1)[0]
        if path in _SECTIONS and about in _SECTIONS[path].model_fields:
            path = f"{path}.{about}"
        fields[path] = words
    return fields


def _refuse_twins(cameras: tuple[Camera, ...], entries: Any, path: Path) -> None:
    seen: set[str] = set()
    for number, camera in enumerate(cameras):
        if camera.name in seen:
            raise BadCameras(
                path, f"camera {camera.name!r}: named twice", _line_of(entries, number)
            )
        seen.add(camera.name)


def _camera_of_environment(settings: FleetSettings, path: Path) -> dict[str, Any] | None:
    pipeline = {
        "model": settings.camera_model,
        "fps": settings.camera_fps,
        "confidence": settings.camera_confidence,
    }
    given = {key: value for key, value in pipeline.items() if value is not None}
    entry: dict[str, Any] = {"name": settings.camera_name, "pipeline": given}
    if settings.camera_source:
        return entry | {"source": settings.camera_source}
    if not settings.gst_rtsp_pipeline:
        return None
    try:
        return entry | entry_of_pipeline(settings.gst_rtsp_pipeline)
    except ValueError as error:
        raise BadCameras(path, str(error)) from error
