"""Images put together, cut and made smaller."""

import os
from collections.abc import Collection, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from camfleet.drawing.markup import check_alpha, inside
from camfleet.errors import BadArgument, BadImage
from camfleet.images import Image, check_image
from camfleet.results.boxes import BoundingBox

PICTURES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".gif"})
_CHANNELS = 3


def blend_images(foreground_image: Image, background_image: Image, alpha: float) -> Image:
    """A mixture; `alpha` is the share of the foreground, 0 to 1.

    Raises:
        BadImage: one is not an image, or they differ in size.
        BadArgument: alpha is not within 0 and 1.
    """
    check_alpha(alpha)
    _check_same_size("blend_images", foreground_image, background_image)
    mixed = cv2.addWeighted(foreground_image, alpha, background_image, 1 - alpha, 0)
    return np.asarray(mixed, np.uint8)


def overlay_image(
    foreground_image: Image, background_image: Image, foreground_mask: NDArray[np.generic]
) -> Image:
    """The foreground where the mask is not 0, the background elsewhere.

    Args:
        foreground_image: (H, W, 3) BGR.
        background_image: of the same size.
        foreground_mask: (H, W) or (H, W, 3) of any type; shares where it is of floats 0 to 1.

    Raises:
        BadImage: one is not an image, or they differ in size.
    """
    _check_same_size("overlay_image", foreground_image, background_image)
    mask = foreground_mask if foreground_mask.ndim == _CHANNELS else foreground_mask[..., None]
    if mask.shape[:2] != foreground_image.shape[:2]:
        raise BadImage(
            f"overlay_image: the mask has shape {foreground_mask.shape}, expected"
            f" {foreground_image.shape[:2]}"
        )
    if not np.issubdtype(mask.dtype, np.floating):
        return np.where(mask != 0, foreground_image, background_image).astype(np.uint8)
    shares = np.clip(np.nan_to_num(mask), 0, 1)
    mixed = shares * foreground_image + (1 - shares) * background_image
    rounded: Image = mixed.round().astype(np.uint8)
    return rounded


def cutout_image(image: Image, box: BoundingBox) -> Image:
    """A copy of what is in the box, as far as it is in the image.

    Raises:
        BadImage: it is not an image, or nothing of the box is in it.
    """
    check_image(image, "cutout_image")
    left, top, right, bottom = inside(box, image)
    if left >= right or top >= bottom:
        height, width = image.shape[:2]
        raise BadImage(f"cutout_image: nothing of {box} is in the image of {width}x{height}")
    return image[top:bottom, left:right].copy()


def resize(
    image: Image, width: int | None = None, height: int | None = None, keep_scale: bool = True
) -> Image:
    """The image in another size.

    Args:
        image: (H, W, 3) BGR.
        width: the largest width, or without `keep_scale` the width; None: as the height asks.
        height: likewise.
        keep_scale: keep the shape: the result is as large as fits into width x height.

    Raises:
        BadImage: it is not an image.
        BadArgument: neither width nor height is given, or one is not above 0.
    """
    check_image(image, "resize")
    given = [side for side in (width, height) if side is not None]
    if not given or min(given) <= 0:
        raise BadArgument(f"resize: width is {width} and height {height}; give pixels above 0")
    before_height, before_width = image.shape[:2]
    across = None if width is None else width / before_width
    down = None if height is None else height / before_height
    scale = min(share for share in (across, down) if share is not None)
    if keep_scale or across is None or down is None:
        across = down = scale
    size = max(1, round(before_width * across)), max(1, round(before_height * down))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, size, interpolation=way), np.uint8)


def safe_hstack(frames: Sequence[Image]) -> Image:
    """Images side by side; lower ones get a black stripe below.

    Raises:
        BadImage: there is none, or one is not an image.
    """
    if not frames:
        raise BadImage("safe_hstack: there is no image")
    tallest = max(check_image(frame, "safe_hstack").shape[0] for frame in frames)
    padded = [np.pad(frame, ((0, tallest - frame.shape[0]), (0, 0), (0, 0))) for frame in frames]
    return np.hstack(padded).astype(np.uint8, copy=False)


def _check_same_size(what: str, one: Image, other: Image) -> None:
    if check_image(one, what).shape != check_image(other, what).shape:
        raise BadImage(
            f"{what}: the images have shapes {one.shape} and {other.shape}; resize() one of them"
        )


def list_images(base_path: str | os.PathLike[str], contains: str | None = None) -> list[str]:
    """The paths of the pictures in a folder and all folders in it, sorted.

    Args:
        base_path: the folder.
        contains: only names with this in them.

    Raises:
        FileNotFoundError: there is no such folder.
    """
    return _listed("list_images", base_path, PICTURES, contains)


def list_files(
    base_path: str | os.PathLike[str],
    valid_exts: str | Collection[str] | None = None,
    contains: str | None = None,
) -> list[str]:
    """The paths of the files in a folder and all folders in it, sorted.

    Args:
        base_path: the folder.
        valid_exts: only names that end so, e.g. ".mp4" or (".mp4", ".mkv"), in any case.
        contains: only names with this in them.

    Raises:
        FileNotFoundError: there is no such folder.
    """
    endings = (valid_exts,) if isinstance(valid_exts, str) else valid_exts or ("",)
    return _listed("list_files", base_path, endings, contains)


def _listed(
    what: str, base_path: str | os.PathLike[str], endings: Collection[str], contains: str | None
) -> list[str]:
    folder = Path(base_path)
    if not folder.is_dir():
        raise FileNotFoundError(f"{what}: there is no folder {folder}")
    wanted = tuple(ending.lower() for ending in endings)
    found = (path for path in folder.rglob("*") if path.name.lower().endswith(wanted))
    files = (path for path in found if path.is_file())
    return sorted(str(path) for path in files if contains is None or contains in path.name)
