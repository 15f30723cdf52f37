"""How decoded pictures become UINT8 pixels of the size an input takes."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from camfleet_contracts.model_manifest import Preprocess
from camfleet_contracts.pictures import Resize, Size, fit
from camfleet_server.images.errors import BadPicture, PictureTooLarge, WrongChannels
from camfleet_server.images.header import PictureHeader

if TYPE_CHECKING:
    from types import ModuleType

_COLOUR_CHANNELS = 3
# A reduced picture must be averaged further by so much, else it differs from the whole one by more
# than a grey level in the mean (docs/decisions/0015). Twice exactly is always good.
_LEAST_REMAINDER = {8: 4.0, 4: 4.0, 2: 3.0}
_MOST_CUT_AWAY = 2  # inputs; of a frame that grows beyond that only the visible part is made


class Fitting(Protocol):
    """Decodes a picture and fits it; pixels are (H, W, C)."""

    def decode(self, content: bytes, header: PictureHeader) -> NDArray[np.uint8]: ...
    def fit(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]: ...
    def sizes(self, frame: Size) -> tuple[Size, Size]: ...  # while it is scaled, and at the end


@dataclass(frozen=True, slots=True)
class ManifestFitting:
    """As `preprocess` of the manifest says: BGR pixels of the input's size, or gray ones."""

    tensor: str
    preprocess: Preprocess
    size: Size
    max_pixels: int

    def decode(self, content: bytes, header: PictureHeader) -> NDArray[np.uint8]:
        """Decode upright, at a fraction of its size where that makes no difference."""
        divisor = reduction(header, self.preprocess.resize, self.size)
        pixels = _opencv().decode_upright(content, divisor)
        return _decoded(pixels, header, len(content), self.tensor)

    def fit(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Resize and pad."""
        if not pixels.size:
            raise BadPicture(f"the picture has the shape {list(pixels.shape)}", self.tensor)
        is_gray = self.preprocess.colour == "GRAY"
        channels = pixels.shape[2]
        if channels != _COLOUR_CHANNELS and not (is_gray and channels == 1):
            raise WrongChannels(1 if is_gray else _COLOUR_CHANNELS, channels, self.tensor)
        resize = fit(self.preprocess.resize, (pixels.shape[1], pixels.shape[0]), self.size)
        made_size = _made_size(resize)
        if math.prod(made_size) > self.max_pixels:
            raise PictureTooLarge(made_size, self.max_pixels, self.tensor)
        if made_size != resize.scaled_size:
            part = _visible_part(pixels, resize)
            return _opencv().to_gray(part) if is_gray else part
        scaled = _opencv().scale(pixels, made_size)
        return resize.place(_opencv().to_gray(scaled) if is_gray else scaled, self.preprocess.pad)

    def sizes(self, frame: Size) -> tuple[Size, Size]:
        """Return the size before padding and cutting, whichever way the frame lies, and after."""
        turned = frame[::-1]
        made = [_made_size(fit(self.preprocess.resize, f, self.size)) for f in (frame, turned)]
        return max(made, key=math.prod), self.size


@dataclass(frozen=True, slots=True)
class PlainFitting:
    """As OpenVINO Model Server: channels as stored, stretched to the size where one is given."""

    tensor: str
    shape: tuple[int, ...]  # (N, H, W, C), -1 where the model leaves it open

    def decode(self, content: bytes, header: PictureHeader) -> NDArray[np.uint8]:
        """Decode the whole picture as it is stored."""
        pixels = _opencv().decode_as_stored(content)
        return _decoded(pixels, header, len(content), self.tensor)

    def fit(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Stretch; an open side stays the picture's."""
        channels = self.shape[3]
        if channels not in (-1, pixels.shape[2]):
            raise WrongChannels(channels, pixels.shape[2], self.tensor)
        size, _ = self.sizes((pixels.shape[1], pixels.shape[0]))
        scaled: NDArray[np.uint8] = _opencv().scale_linear(pixels, size)
        return scaled

    def sizes(self, frame: Size) -> tuple[Size, Size]:
        """Return the size it is stretched to, twice: nothing is cut away."""
        _, height, width, _ = self.shape
        size = (width if width > 0 else frame[0], height if height > 0 else frame[1])
        return size, size


def reduction(header: PictureHeader, kind: str, size: Size) -> int:
    """By how much a JPEG may be decoded smaller: 8, 4, 2 or 1."""
    if header.kind != "JPEG":
        return 1
    frames = [(header.width, header.height)]
    if header.has_tags:
        frames.append((header.height, header.width))
    return next(
        (
            divisor
            for divisor, least in _LEAST_REMAINDER.items()
            if all(_may_reduce(frame, kind, size, divisor, least) for frame in frames)
        ),
        1,
    )


def _made_size(resize: Resize) -> Size:
    """How large the frame is made: the input's size where most of it would be cut away again."""
    scaled = resize.scaled_size
    is_wasteful = math.prod(scaled) > _MOST_CUT_AWAY * math.prod(resize.input_size)
    return resize.input_size if is_wasteful and min(resize.scale) > 1 else scaled


def _visible_part(pixels: NDArray[np.uint8], resize: Resize) -> NDArray[np.uint8]:
    corner = (-round(resize.offset[0]), -round(resize.offset[1]))
    part: NDArray[np.uint8] = _opencv().grow_part(
        pixels, resize.scaled_size, corner, resize.input_size
    )
    return part


def _may_reduce(frame: Size, kind: str, size: Size, divisor: int, least: float) -> bool:
    sides = tuple(zip(frame, fit(kind, frame, size).scaled_size, strict=True))
    if any(given % divisor for given, _ in sides):
        return False  # libjpeg rounds up, and everything would be shifted a little
    return all(given >= least * divisor * scaled for given, scaled in sides) or all(
        given == 2 * divisor * scaled for given, scaled in sides
    )


def _decoded(
    pixels: NDArray[np.uint8] | None, header: PictureHeader, size_bytes: int, tensor: str
) -> NDArray[np.uint8]:
    if pixels is None:
        raise BadPicture(
            f"the {header.kind} of {header.width}x{header.height} pixels is cut off or damaged, "
            f"{size_bytes} bytes",
            tensor,
        )
    return pixels


def _opencv() -> "ModuleType":
    from camfleet_server.images import pixels  # noqa: PLC0415 - loads OpenCV

    return pixels
