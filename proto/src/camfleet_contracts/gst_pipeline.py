"""The variable GST_RTSP_PIPELINE of balena's video-capture block, read as an entry of cameras.yaml.

Only text is looked at and nothing is run: where pictures come from, their size, rate and rotation.
Encoders, payloaders and converters are left out, since capture copies or encodes by itself.
"""

import re
import shlex
from collections.abc import Callable
from typing import Any

_CONVERTERS = "queue videoconvert videoscale videorate v4l2convert nvvidconv capsfilter identity"
_CODERS = (
    "decodebin jpegparse jpegdec jpegenc h264parse h265parse x264enc openh264enc omxh264enc"
    " v4l2h264enc v4l2jpegdec nvjpegdec nvv4l2h264enc vaapih264enc"
)
_PAYLOADERS = "rtph264pay rtph265pay rtpjpegpay rtpvp8pay rtph264depay rtph265depay rtpjpegdepay"
_NOT_NEEDED = frozenset(f"{_CONVERTERS} {_CODERS} {_PAYLOADERS}".split())
_TURNS = {"clockwise": 90, "rotate-180": 180, "counterclockwise": 270, "none": 0}
_TURNS |= {"1": 90, "2": 180, "3": 270, "0": 0}
_SIZE = re.compile(r"(width|height)=(?:\(int\))?(\d+)")
_RATE = re.compile(r"framerate=(?:\(fraction\))?(\d+)/(\d+)")
_WAY_OUT = (
    "write the camera into cameras.yaml instead (docs/cameras.md, Coming from balena's block)"
)

Properties = dict[str, str]


def entry_of_pipeline(pipeline: str) -> dict[str, Any]:
    """Return `source` and `capture` of the camera that a pipeline shows.

    Raises:
        ValueError: it does what no entry can say; the text names the part and the way out.
    """
    first, *others = [part.strip() for part in pipeline.strip().strip("()").split("!")]
    name, properties = _element(first)
    if name not in _SOURCES:
        raise ValueError(f"GST_RTSP_PIPELINE: source {name!r} is not known; {_WAY_OUT}")
    capture = _turned(properties.get("rotation"))
    for part in others:
        capture |= _asked_by(part)
    return {"source": _SOURCES[name](properties), "capture": capture}


def _element(part: str) -> tuple[str, Properties]:
    try:
        name, *words = shlex.split(part) or [""]
    except ValueError as error:
        raise ValueError(f"GST_RTSP_PIPELINE: {part!r}: {error}; {_WAY_OUT}") from error
    return name, dict(word.split("=", 1) for word in words if "=" in word)


def _asked_by(part: str) -> dict[str, Any]:
    """Return what one link of the pipeline asks of the camera: caps, a rotation, or nothing."""
    name, properties = _element(part)
    if name.startswith(("video/", "image/", "application/")):
        return _caps(part)
    if name == "videoflip":
        return _turned(properties.get("method") or properties.get("video-direction"))
    if name not in _NOT_NEEDED:
        raise ValueError(f"GST_RTSP_PIPELINE: element {name!r} has no counterpart; {_WAY_OUT}")
    return _caps(properties.get("caps", ""))


def _caps(text: str) -> dict[str, Any]:
    text = text.replace(" ", "")
    sides, rate = dict(_SIZE.findall(text)), _RATE.search(text)
    found: dict[str, Any] = {}
    if len(sides) == len(("width", "height")):
        found["size"] = f"{sides['width']}x{sides['height']}"
    if rate and int(rate[1]) and int(rate[2]):
        found["frame_rate"] = int(rate[1]) / int(rate[2])
    return found


def _turned(method: str | None) -> dict[str, Any]:
    if not method:
        return {}
    degrees = int(method) if method in {"90", "180", "270"} else _TURNS.get(method)
    if degrees is None:
        raise ValueError(f"GST_RTSP_PIPELINE: rotation {method!r} is not known; {_WAY_OUT}")
    return {"rotation": degrees} if degrees else {}


def _location(properties: Properties) -> str:
    if {"user-id", "user-pw"} & properties.keys():
        raise ValueError(f"GST_RTSP_PIPELINE: holds a password; {_WAY_OUT}")
    location = properties.get("location", "")
    if not location:
        raise ValueError(f"GST_RTSP_PIPELINE: a source without its location; {_WAY_OUT}")
    return location


def _pi(properties: Properties) -> str:
    number = properties.get("camera-number", "0")
    return "picamera" if number == "0" else f"picamera:{number}"


_SOURCES: dict[str, Callable[[Properties], str]] = {
    "v4l2src": lambda properties: properties.get("device", "auto"),
    "rpicamsrc": _pi,
    "libcamerasrc": lambda _: "picamera",
    "nvarguscamerasrc": lambda properties: f"csi:{properties.get('sensor-id', '0')}",
    "videotestsrc": lambda _: "testcard",
    "rtspsrc": _location,
    "souphttpsrc": _location,
    "filesrc": _location,
}
