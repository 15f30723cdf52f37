"""Which mode to take: native H.264, then MJPEG, then raw, near the wanted size and rate."""

from collections.abc import Iterable
from dataclasses import dataclass

from camfleet_capture.sources.v4l2.modes import Mode

# Formats by preference, and how libavcodec names what is in their buffers (decoder, pixel format).
DECODERS: dict[str, tuple[str, str | None]] = {
    "H264": ("h264", None),
    "MJPG": ("mjpeg", None),
    "JPEG": ("mjpeg", None),
    "YUYV": ("rawvideo", "yuyv422"),
    "UYVY": ("rawvideo", "uyvy422"),
    "NV12": ("rawvideo", "nv12"),
    "YU12": ("rawvideo", "yuv420p"),
    "RGB3": ("rawvideo", "rgb24"),
    "BGR3": ("rawvideo", "bgr24"),
    "GREY": ("rawvideo", "gray"),
}
_ORDER = {name: place for place, name in enumerate(DECODERS)}
_BITS = {"H264": 0.5, "MJPG": 3.0, "JPEG": 3.0, "NV12": 12.0, "YU12": 12.0, "RGB3": 24.0}
_BITS |= {"BGR3": 24.0, "GREY": 8.0}
_RAW_BITS = 16.0
_ENOUGH = 0.5  # a format with less of the wanted pixels or rate than this gives way to the next
_LIGHTER = 0.75
_UNKNOWN_RATE = 15.0


@dataclass(frozen=True, slots=True)
class Wish:
    """What the operator wants of a device, or what is usual."""

    width: int = 1280
    height: int = 720
    fps: float = 15.0


def rank(modes: Iterable[Mode], wish: Wish) -> list[Mode]:
    """Return the modes that can be read, the best one first."""
    readable = [mode for mode in modes if mode.format in DECODERS]
    return sorted(readable, key=lambda mode: _badness(mode, wish))


def lighter(ranked: Iterable[Mode], refused: Mode) -> Mode | None:
    """Return the best mode that needs clearly less of the bus than the refused one."""
    limit = _load(refused) * _LIGHTER
    return next((mode for mode in ranked if _load(mode) <= limit), None)


def _badness(mode: Mode, wish: Wish) -> tuple[bool, float, float, float]:
    fps = mode.fps or _UNKNOWN_RATE
    pixels = mode.width * mode.height / (wish.width * wish.height)
    # A camera that is too slow is worse than one that is too fast by as much.
    late = (wish.fps - fps) * 4 if fps < wish.fps else fps - wish.fps
    if pixels < _ENOUGH or fps < wish.fps * _ENOUGH:
        short = max(1.0, 1 / pixels) * max(1.0, wish.fps / fps)
        return True, round(short, 2), late, _ORDER[mode.format]
    distance = abs(mode.width - wish.width) + abs(mode.height - wish.height)
    return False, _ORDER[mode.format], float(distance), late


def _load(mode: Mode) -> float:
    """Return about how many bits a second it needs of the bus."""
    bits = _BITS.get(mode.format, _RAW_BITS)
    return mode.width * mode.height * bits * (mode.fps or _UNKNOWN_RATE)


def text_of(mode: Mode) -> str:
    """Name a mode as the operator reads it."""
    rate = f" at {mode.fps:g}/s" if mode.fps else ""
    return f"{mode.format} {mode.width}x{mode.height}{rate}"
