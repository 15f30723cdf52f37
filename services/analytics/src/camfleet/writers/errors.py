"""What can go wrong with writing video.

CamfleetError
└── WriterError
    ├── UnknownCodec   it is none of avc1, H264, mp4v, MJPG
    ├── CannotWrite    the file, port or server cannot be had
    └── OtherSize      a frame of another size than the first one
"""

from camfleet.errors import CamfleetError


class WriterError(CamfleetError):
    """Base; the text says which file or address, what, and what next."""


class UnknownCodec(WriterError, ValueError):
    """The codec is none that can be written."""


class CannotWrite(WriterError):
    """The file, port or server cannot be had."""


class OtherSize(WriterError, ValueError):
    """A frame has another size than the first one."""

    def __init__(self, name: str, size: tuple[int, int], first: tuple[int, int]) -> None:
        super().__init__(
            f"{name}: a frame is {size[0]}x{size[1]} and the first one was {first[0]}x{first[1]};"
            " resize() it, or begin another writer"
        )
