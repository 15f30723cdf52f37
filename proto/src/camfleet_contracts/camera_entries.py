"""Changes of single cameras in cameras.yaml, for the command line and REST alike."""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml.comments import Comment, CommentedMap, CommentedSeq, Format

from camfleet_contracts.cameras import Camera
from camfleet_contracts.cameras_edit import edit_cameras
from camfleet_contracts.cameras_file import BadCameras, parse_cameras, read_text
from camfleet_contracts.redaction import is_redacted, redact

Check = Callable[[Camera], None]


class NoSuchCamera(LookupError):
    """The file has no camera of this name."""

    def __init__(self, name: str, path: Path) -> None:
        super().__init__(f"camera '{name}' is not in {path}; `camfleet camera list` shows them")


class CameraExists(ValueError):
    """The file has a camera of this name already."""

    def __init__(self, name: str, path: Path) -> None:
        super().__init__(f"camera '{name}' is in {path} already; remove it first, or change it")


def tag_of(camera: Camera) -> str:
    """Return a text that changes when the camera's configuration does."""
    return hashlib.sha256(camera.model_dump_json().encode()).hexdigest()[:16]


def add_entry(path: Path, entry: Mapping[str, Any]) -> Camera:
    """Add a camera and return it as the file has it now.

    Raises:
        CameraExists: the name is taken.
        BadCameras: the file would not be valid with it.
    """
    name = str(entry.get("name"))
    with edit_cameras(path) as document:
        if _position(document, name) is not None:
            raise CameraExists(name, path)
        _refuse_redacted(path, name, {}, entry)
        document["cameras"].append(_as_yaml(entry))
    return _read_back(path, name)


def replace_entry(path: Path, name: str, entry: Mapping[str, Any], check: Check) -> Camera:
    """Put `entry` in the place of a camera; what it leaves out goes back to the default.

    Credentials are never shown, so an entry without them keeps those there are, and a source as it
    is shown (without its password) keeps the one it stands for.

    Args:
        path: cameras.yaml.
        name: the camera's name; the entry may not carry another one.
        entry: the new values.
        check: called with the camera as it is; what it raises ends the change.

    Raises:
        NoSuchCamera, BadCameras: as their texts say; the file is left as it was.
    """
    return _change(path, name, check, lambda _: {"name": name, **entry})


def merge_entry(path: Path, name: str, changes: Mapping[str, Any], check: Check) -> Camera:
    """Change some values, as a JSON merge patch (RFC 7396) does; see `replace_entry`."""
    return _change(path, name, check, lambda before: _merged(before, changes))


def remove_entry(path: Path, name: str, check: Check | None = None) -> Camera:
    """Take a camera out and return it as it was; raises as `replace_entry`."""
    with edit_cameras(path) as document:
        position = _position(document, name)
        if position is None:
            raise NoSuchCamera(name, path)
        camera = _read_back(path, name)
        if check:
            check(camera)
        del document["cameras"][position]
    return camera


def _change(
    path: Path, name: str, check: Check, make: Callable[[dict[str, Any]], dict[str, Any]]
) -> Camera:
    with edit_cameras(path) as document:
        position = _position(document, name)
        if position is None:
            raise NoSuchCamera(name, path)
        check(_read_back(path, name))
        entry = document["cameras"][position] = _unshared(document["cameras"][position])
        after = make(dict(entry))
        if after.get("name") != name:
            raise BadCameras(path, f"camera '{name}': its name cannot be changed; add a new one")
        _keep_secrets(entry, after)
        _refuse_redacted(path, name, entry, after)
        _write_over(entry, after)
    return _read_back(path, name)


def _keep_secrets(before: Mapping[str, Any], after: dict[str, Any]) -> None:
    for key in ("source", "detect_source"):
        if before.get(key) and after.get(key) == redact(str(before[key])):
            after[key] = before[key]
    if "credentials" not in after and "credentials" in before:
        after["credentials"] = before["credentials"]


def _refuse_redacted(
    path: Path, name: str, before: Mapping[str, Any], after: Mapping[str, Any]
) -> None:
    for key in ("source", "detect_source"):
        text = str(after.get(key))
        if is_redacted(text) and text != before.get(key):
            reason = f"{key} has *** for a secret; write the secret, or send {key} as it is shown"
            raise BadCameras(path, f"camera '{name}': {reason}")


def _unshared(value: Any) -> Any:
    """A copy with its comments that no anchor and no merge ties to other cameras."""
    own: CommentedMap | CommentedSeq
    if isinstance(value, CommentedMap):
        own = CommentedMap((key, _unshared(item)) for key, item in value.items())
    elif isinstance(value, CommentedSeq):
        own = CommentedSeq(_unshared(item) for item in value)
    else:
        return value
    setattr(own, Comment.attrib, value.ca)
    setattr(own, Format.attrib, value.fa)
    return own


def _write_over(entry: CommentedMap, after: Mapping[str, Any]) -> None:
    """Change values in place, so that comments stay where they are."""
    for key in [key for key in entry if after.get(key) is None]:
        del entry[key]
    for key, value in after.items():
        if isinstance(value, Mapping) and isinstance(entry.get(key), CommentedMap):
            _write_over(entry[key], value)
        elif value is not None and entry.get(key) != value:
            entry[key] = _as_yaml(value)


def _merged(before: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    after = dict(before)
    for key, value in changes.items():
        kept = after.get(key)
        if isinstance(value, Mapping):
            after[key] = _merged(kept if isinstance(kept, Mapping) else {}, value)
        else:
            after[key] = value
    return {key: value for key, value in after.items() if value is not None or key == "credentials"}


def _as_yaml(value: Any) -> Any:
    if isinstance(value, Mapping):
        return CommentedMap({k: _as_yaml(v) for k, v in value.items() if v is not None})
    if not isinstance(value, list | tuple):
        return value
    items = CommentedSeq(map(_as_yaml, value))
    if not any(isinstance(item, CommentedMap) for item in items):
        items.fa.set_flow_style()  # points and names: as a person writes them
    return items


def _position(document: CommentedMap, name: str) -> int | None:
    cameras = document["cameras"]
    return next((i for i, camera in enumerate(cameras) if camera.get("name") == name), None)


def _read_back(path: Path, name: str) -> Camera:
    camera = parse_cameras(read_text(path), path=path).find(name)
    if camera is None:
        raise NoSuchCamera(name, path)
    return camera
