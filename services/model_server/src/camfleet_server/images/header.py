"""What the first bytes of a picture say, read before anything is decoded."""

from dataclasses import dataclass

from camfleet_server.images.errors import BadPicture

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_HEADER_BYTES = 29  # signature, length, type and content of IHDR
_JPEG = b"\xff\xd8"
_JPEG_FRAME_BYTES = 9  # marker, length, precision, height, width
_FILL_BYTE = 0xFF
_TAGS = 0xE1  # Exif
_OTHER_KINDS = {
    b"GIF8": "GIF",
    b"BM": "BMP",
    b"RIFF": "WebP",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"\0\0\0\x0cjP": "JPEG 2000",
    b"%PDF": "PDF",
}
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # those three are tables
_WITHOUT_LENGTH = frozenset({0x00, 0x01, *range(0xD0, 0xD8)})


@dataclass(frozen=True, slots=True)
class PictureHeader:
    """Size as stored."""

    kind: str  # JPEG, PNG
    width: int
    height: int
    has_tags: bool = False  # one of them may say that the picture lies on its side

    @property
    def pixels(self) -> int:
        """How many pixels decoding makes."""
        return self.width * self.height


def read_header(content: bytes, tensor: str) -> PictureHeader:
    """Read the size of a JPEG or PNG.

    Raises:
        BadPicture: it is neither, or its header is cut off or gives no size.
    """
    if content.startswith(_JPEG):
        header = _read_jpeg(content, tensor)
    elif content.startswith(_PNG):
        header = _read_png(content, tensor)
    else:
        raise BadPicture(_unknown_kind(content), tensor)
    if not header.pixels:
        size = f"{header.width}x{header.height}"
        raise BadPicture(f"the {header.kind} header says {size} pixels", tensor)
    return header


def _read_png(content: bytes, tensor: str) -> PictureHeader:
    if len(content) < _PNG_HEADER_BYTES or content[12:16] != b"IHDR":
        raise BadPicture(f"the PNG has no header in its {len(content)} bytes", tensor)
    width, height = int.from_bytes(content[16:20]), int.from_bytes(content[20:24])
    return PictureHeader("PNG", width, height)


def _read_jpeg(content: bytes, tensor: str) -> PictureHeader:
    last = len(content) - _JPEG_FRAME_BYTES
    position = content.find(b"\xff", len(_JPEG))
    has_tags = False
    while 0 <= position <= last:
        marker = content[position + 1]
        if marker in _FRAMES:
            height = int.from_bytes(content[position + 5 : position + 7])
            width = int.from_bytes(content[position + 7 : position + 9])
            return PictureHeader("JPEG", width, height, has_tags)
        has_tags |= marker == _TAGS
        position = content.find(b"\xff", position + _segment_bytes(content, position, marker))
    raise BadPicture(f"the JPEG has no frame header in its {len(content)} bytes", tensor)


def _segment_bytes(content: bytes, position: int, marker: int) -> int:
    if marker == _FILL_BYTE:
        return 1
    if marker in _WITHOUT_LENGTH:
        return 2
    return 2 + int.from_bytes(content[position + 2 : position + 4])


def _unknown_kind(content: bytes) -> str:
    if not content:
        return "the picture has no bytes"
    kind = next((kind for start, kind in _OTHER_KINDS.items() if content.startswith(start)), "")
    found = kind or f"{len(content)} bytes that begin with {content[:8].hex(' ')}"
    return f"only JPEG and PNG are taken, this is {found}"
