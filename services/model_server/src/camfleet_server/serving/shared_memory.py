"""Tensors in the system shared memory of clients on the same machine.

Large inputs are views of the mapped segment, so nothing is copied. The size is looked at before
each use; where a client shrinks its segment while a view is read, zeros are read
(`vanished_pages`). Small inputs, outputs, and with `is_copied` everything goes by system calls,
which only come up short then (docs/decisions/0013).
"""

import mmap
import os
import stat
import threading
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from camfleet_server.bytes_in_hand import BytesInHand
from camfleet_server.errors import (
    InvalidInput,
    RegionExists,
    RegionNotFound,
    SharedMemoryOff,
)
from camfleet_server.open_files import most_open_files
from camfleet_server.serving.vanished_pages import VANISHED_PAGES

SEGMENTS = Path("/dev/shm")  # noqa: S108 - where shm_open keeps segments
_FLAGS = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_LARGEST = 2**63 - 1
_MOST_REGIONS = 1024
_FILES_OF_REGIONS = 8  # they may hold a quarter of what may be open: each has two, mmap its own
_MAPPED_BYTES = 1 << 16  # smaller inputs are copied in less time than it takes to talk of it
_LARGEST_TENSOR = 1 << 30  # as a message; it is also less than Linux moves in one call


@dataclass(frozen=True, slots=True)
class Region:
    """One registered region as clients see it."""

    name: str
    key: str
    offset: int
    byte_size: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where one tensor of a request lies."""

    region: str
    offset: int
    byte_size: int


class SharedMemory:
    """The registered regions; every method may be called from any thread."""

    def __init__(
        self, *, is_allowed: bool = False, is_copied: bool = False, folder: Path = SEGMENTS
    ) -> None:
        self.is_allowed = is_allowed
        self._is_copied = is_copied
        self._folder = folder
        self._most_regions = min(_MOST_REGIONS, most_open_files() // _FILES_OF_REGIONS)
        self._lock = threading.Lock()
        self._segments: dict[str, _Segment] = {}
        self.in_hand = BytesInHand("from shared memory")

    def register(self, region: Region) -> None:
        """Make part of a segment known under a name.

        Raises:
            SharedMemoryOff, RegionExists, InvalidInput.
        """
        self._check_allowed()
        segment = _open(region, self._folder, is_copied=self._is_copied)
        with self._lock:
            if region.name in self._segments:
                raise RegionExists(region.name)
            if len(self._segments) >= self._most_regions:
                raise InvalidInput(
                    f"shared memory region '{region.name}' - {self._most_regions} are registered "
                    "already; unregister some"
                )
            self._segments[region.name] = segment

    def unregister(self, name: str = "") -> None:
        """Forget a region if it is known, or all; requests that use it now still end well.

        Raises:
            SharedMemoryOff: they are not allowed.
        """
        self._check_allowed()
        with self._lock:
            if not name:
                self._segments.clear()
            else:
                self._segments.pop(name, None)

    def regions(self, name: str = "") -> tuple[Region, ...]:
        """Return the region of that name, or all.

        Raises:
            SharedMemoryOff, RegionNotFound.
        """
        self._check_allowed()
        if name:
            return (self._find(name).region,)
        with self._lock:
            return tuple(segment.region for segment in self._segments.values())

    def read(self, place: Place) -> memoryview:
        """Return the bytes of an input; valid as long as they are held.

        Raises:
            SharedMemoryOff, RegionNotFound, InvalidInput.
            ServerBusy: requests in hand hold too many bytes already.
        """
        self._check_allowed()
        return self._find(place.region).read(place, self.in_hand)

    def write(self, place: Place, content: bytes | NDArray[Any], output: str) -> int:
        """Put an output where the client wants it and return its size in bytes.

        Raises:
            SharedMemoryOff, RegionNotFound, InvalidInput.
        """
        self._check_allowed()
        return self._find(place.region).write(place, content, output)

    def _check_allowed(self) -> None:
        if not self.is_allowed:
            raise SharedMemoryOff

    def _find(self, name: str) -> "_Segment":
        with self._lock:
            segment = self._segments.get(name)
        if segment is None:
            raise RegionNotFound(name)
        return segment


class _Segment:
    """An open segment; it is closed when nobody holds it any more, so never under a request."""

    def __init__(self, region: Region, descriptor: int) -> None:
        self.region = region
        self._descriptor = descriptor
        self._mapping: memoryview | None = None
        self._has_vanished = threading.Event()  # its memory under a view, for a time at least
        weakref.finalize(self, os.close, descriptor)

    def map(self) -> None:
        """Map the region; the mapping lives as long as a view of it."""
        size = self.region.offset + self.region.byte_size
        try:
            mapped = mmap.mmap(self._descriptor, size, prot=mmap.PROT_READ)
            VANISHED_PAGES.guard(mapped, self._has_vanished.set)
        except (OSError, OverflowError, ValueError) as error:
            raise InvalidInput(
                f"shared memory region '{self.region.name}' cannot be mapped: {error}"
            ) from error
        self._mapping = memoryview(mapped)

    def read(self, place: Place, in_hand: BytesInHand) -> memoryview:
        start = self._checked_start(place)
        if self._mapping is not None and place.byte_size >= _MAPPED_BYTES:
            return self._mapping[start : start + place.byte_size]
        buffer = in_hand.new_buffer(place.byte_size)
        view = buffer.data
        done = os.preadv(self._descriptor, [view], start) if place.byte_size else 0
        if done < place.byte_size:
            raise InvalidInput(self._shrunk_text(start + place.byte_size, start + done))
        return view.toreadonly()

    def write(self, place: Place, content: bytes | NDArray[Any], output: str) -> int:
        start = self._checked_start(place)
        view = memoryview(content) if isinstance(content, bytes) else _flat(content).data
        if view.nbytes > place.byte_size:
            raise InvalidInput(
                f"shared memory size specified with the request for output '{output}' "
                f"({place.byte_size} bytes) should be at least {view.nbytes} bytes to hold "
                "the results"
            )
        return os.pwrite(self._descriptor, view, start)

    def _checked_start(self, place: Place) -> int:
        """Return where in the segment a tensor begins, once all of it is sure to be there."""
        region = self.region
        if place.byte_size > _LARGEST_TENSOR:
            raise InvalidInput(
                f"shared memory region '{region.name}' - a tensor may have {_LARGEST_TENSOR} bytes,"
                f" not {place.byte_size}"
            )
        if place.offset + place.byte_size > region.byte_size:
            raise InvalidInput(
                f"Invalid offset + byte size for shared memory region: '{region.name}' - "
                f"Expected: at most {region.byte_size} bytes; "
                f"Actual: {place.offset} + {place.byte_size} bytes"
            )
        if self._has_vanished.is_set():
            raise InvalidInput(
                f"shared memory region '{region.name}': its segment {region.key!r} was cut off "
                "while it was read, which then gave zeros; unregister it and register it again"
            )
        start = region.offset + place.offset
        size = os.fstat(self._descriptor).st_size
        if start + place.byte_size > size:
            raise InvalidInput(self._shrunk_text(start + place.byte_size, size))
        return start

    def _shrunk_text(self, expected: int, actual: int) -> str:
        return (
            f"shared memory region '{self.region.name}': its segment {self.region.key!r} has shrunk"
            f" since it was registered - Expected: at least {expected} bytes; "
            f"Actual: {actual} bytes; unregister it and register it again"
        )


def _flat(array: NDArray[Any]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8)


def _open(region: Region, folder: Path, *, is_copied: bool) -> _Segment:
    where = f"shared memory region '{region.name}'"
    if not region.name:
        raise InvalidInput("shared memory region: Expected: a name; Actual: none")
    if not 0 < region.byte_size <= _LARGEST or not 0 <= region.offset <= _LARGEST:
        raise InvalidInput(
            f"{where} - Expected: a byte_size above 0 and an offset of 0 and more; "
            f"Actual: {region.byte_size} and {region.offset}"
        )
    try:
        descriptor = os.open(folder / _segment_name(region.key), _FLAGS)
    except OSError as error:
        raise InvalidInput(
            f"Unable to open shared memory region: '{region.name}' - "
            f"key: {region.key!r}; reason: {error.strerror}"
        ) from error
    segment = _Segment(region, descriptor)
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise InvalidInput(f"{where} - {region.key!r} is not a shared memory segment")
    if region.offset + region.byte_size > status.st_size:
        raise InvalidInput(
            f"{where} - Expected: offset and byte_size within the segment's {status.st_size} bytes;"
            f" Actual: {region.offset} + {region.byte_size} bytes"
        )
    if not is_copied:
        segment.map()
    return segment


def _segment_name(key: str) -> str:
    """Return the file name of a key: one name, with or without the slash shm_open wants."""
    name = key.removeprefix("/")
    if not name or name in {".", ".."} or "/" in name or "\0" in name:
        raise InvalidInput(
            f"shared memory key - Expected: the plain name of a segment; Actual: {key!r}"
        )
    return name
