"""How a film is held: phones film turned, and write beside the pictures by how much."""

import itertools
from pathlib import Path

import av
from av.container import InputContainer

from camfleet_capture.alteration import quarters_of
from camfleet_capture.sources.container import Opening

_FORMATS = {"mov", "matroska"}  # that can say so
_LOOKED_AT = 300  # packets until a picture is decoded


class FilmTurn:
    """Knows by how much a film must be turned; decodes a picture of each new one."""

    def __init__(self, path: Path, opening: Opening) -> None:
        self._path, self._opening = path, opening
        self._known: tuple[tuple[int, ...], int] | None = None

    def quarters(self) -> int:
        """Return the quarter turns, clockwise, that show it upright; 0 where nothing tells.

        Raises:
            SourceFault: it cannot be opened.
        """
        try:
            status = self._path.stat()
        except OSError:
            return 0  # it has gone since it was opened; the next round says so
        film = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
        if self._known is None or self._known[0] != film:
            self._known = film, self._look()
        return self._known[1]

    def _look(self) -> int:
        container, stream = self._opening.open()
        with container:
            return film_quarters(container, stream)


def film_quarters(container: InputContainer, stream: av.VideoStream) -> int:
    """Return the quarter turns, clockwise, that show a film upright; 0 where nothing tells.

    Reads as far as the first picture that can be decoded.
    """
    if _FORMATS.isdisjoint(container.format.name.split(",")):
        return 0
    try:
        for packet in itertools.islice(container.demux(stream), _LOOKED_AT):
            for picture in packet.decode():
                return quarters_of(picture)
    except av.error.FFmpegError:
        pass  # a damaged film is told about by who shows it
    return 0
