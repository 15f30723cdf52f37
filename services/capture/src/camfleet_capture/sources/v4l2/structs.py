"""Structures and request numbers of linux/videodev2.h on 64-bit machines.

Written from the kernel's description of its interface; a test compares sizes and numbers with the
header, where there is a compiler.
"""

from struct import Struct

BUFFER_TYPE_CAPTURE = 1
MEMORY_MMAP = 1
FIELD_ANY = 0
CAP_VIDEO_CAPTURE = 0x00000001
CAP_STREAMING = 0x04000000
CAP_DEVICE_CAPS = 0x80000000
SIZE_DISCRETE = INTERVAL_DISCRETE = 1
BUFFER_IS_BROKEN = 0x0040
BUFFER_STAMP_MASK = 0xE000
BUFFER_STAMP_MONOTONIC = 0x2000

CAPABILITY = Struct("=16s32s32s3I12x")  # driver, card, bus; version, of all nodes, of this node
FORMAT_DESCRIPTION = Struct("=2II32s2I12x")  # index, type, flags, text, pixel format, bus code
FRAME_SIZE = Struct("=3I6I8x")  # index, format, kind; w, h | w min, max, step, h min, max, step
FRAME_INTERVAL = Struct("=5I6I8x")  # index, format, w, h, kind; n, d | min n, d, max n, d, step
FORMAT = Struct("=I4x5I28x152x")  # type; width, height, pixel format, field, bytes a line
STREAM_PARAMETERS = Struct("=I4I184x")  # type; capability, mode, seconds a picture as n, d
REQUEST_BUFFERS = Struct("=3I8x")  # count, type, memory
BUFFER = Struct(
    "=5I4x2q16x2IQI12x"
)  # index, type, used, flags, field; time; number, memory, offset
NUMBER = Struct("=i")

_READ, _WRITE = 2, 1


def _request(direction: int, number: int, argument: Struct) -> int:
    return direction << 30 | argument.size << 16 | ord("V") << 8 | number


QUERYCAP = _request(_READ, 0, CAPABILITY)
ENUM_FMT = _request(_READ | _WRITE, 2, FORMAT_DESCRIPTION)
S_FMT = _request(_READ | _WRITE, 5, FORMAT)
REQBUFS = _request(_READ | _WRITE, 8, REQUEST_BUFFERS)
QUERYBUF = _request(_READ | _WRITE, 9, BUFFER)
QBUF = _request(_READ | _WRITE, 15, BUFFER)
DQBUF = _request(_READ | _WRITE, 17, BUFFER)
STREAMON = _request(_WRITE, 18, NUMBER)
STREAMOFF = _request(_WRITE, 19, NUMBER)
S_PARM = _request(_READ | _WRITE, 22, STREAM_PARAMETERS)
ENUM_FRAMESIZES = _request(_READ | _WRITE, 74, FRAME_SIZE)
ENUM_FRAMEINTERVALS = _request(_READ | _WRITE, 75, FRAME_INTERVAL)


def fourcc(text: str) -> int:
    """Return a pixel format's number, e.g. of "MJPG"."""
    return int.from_bytes(text.encode("ascii"), "little")


def fourcc_text(number: int) -> str:
    """Return a pixel format's four letters."""
    return number.to_bytes(4, "little").decode("ascii", "replace").rstrip()


def text_of(raw: bytes) -> str:
    """Return a zero-terminated text."""
    return raw.split(b"\0", 1)[0].decode("utf-8", "replace")
