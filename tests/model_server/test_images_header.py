"""What the first bytes of a picture say, before anything is decoded."""

from pathlib import Path

import cv2
import pytest

from camfleet_server.images.errors import BadPicture
from camfleet_server.images.header import PictureHeader, read_header
from picture_models import jpeg, png, png_claiming, scene, turned

PLAIN = jpeg(scene(64, 48))


@pytest.mark.parametrize(
    ("content", "header"),
    [
        (PLAIN, PictureHeader("JPEG", 64, 48)),
        (jpeg(scene(64, 48), cv2.IMWRITE_JPEG_PROGRESSIVE, 1), PictureHeader("JPEG", 64, 48)),
        (jpeg(scene(64, 48)[..., 0]), PictureHeader("JPEG", 64, 48)),
        (turned(PLAIN, 6), PictureHeader("JPEG", 64, 48, has_tags=True)),
        (PLAIN[:2] + b"\xff\xff\xff" + PLAIN[3:], PictureHeader("JPEG", 64, 48)),
        (png(scene(5, 7)), PictureHeader("PNG", 5, 7)),
        (png_claiming(100_000, 90_000), PictureHeader("PNG", 100_000, 90_000)),
    ],
    ids=["jpeg", "progressive", "gray", "exif", "fill bytes", "png", "huge png"],
)
def test_size_is_read_from_the_header(content: bytes, header: PictureHeader) -> None:
    assert read_header(content, "image") == header


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the picture has no bytes"),
        (b"GIF89a" + bytes(50), "only JPEG and PNG are taken, this is GIF"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "this is WebP"),
        (b"BM" + bytes(50), "this is BMP"),
        (b"<html>", "this is 6 bytes that begin with 3c 68 74 6d 6c 3e"),
        (b"\xff\xd8", "no frame header in its 2 bytes"),
        (b"\xff\xd8\xff\xd9", "no frame header in its 4 bytes"),
        (PLAIN[:100], "no frame header in its 100 bytes"),
        (png(scene(5, 7))[:20], "the PNG has no header in its 20 bytes"),
        (png_claiming(0, 5), "the PNG header says 0x5 pixels"),
    ],
    ids=["empty", "gif", "webp", "bmp", "html", "soi", "soi eoi", "cut", "cut png", "no width"],
)
def test_what_is_no_picture_is_refused_and_named(content: bytes, reason: str) -> None:
    with pytest.raises(BadPicture, match=reason) as refused:
        read_header(content, "image")
    assert str(refused.value).startswith("Image parsing failed - ")
    assert str(refused.value).endswith("; input name: image")


def test_every_real_picture_has_the_size_opencv_finds(shared_data: Path) -> None:
    contents = [path.read_bytes() for path in (shared_data / "media" / "images").glob("*.jp*g")]
    sizes = [(h.width, h.height) for h in (read_header(content, "image") for content in contents)]
    images = shared_data / "media" / "images"
    pictures = [cv2.imread(str(path)) for path in images.glob("*.jp*g")]
    assert sizes == [picture.shape[1::-1] for picture in pictures if picture is not None]
