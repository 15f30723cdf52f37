"""Request tensors in shared memory, for a server on the same machine that allows it.

A segment is unlinked as soon as the server has opened it, so that none stays behind however this
process ends.
"""

import mmap
import os
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from camfleet.inference.channels import Channels
from camfleet.inference.errors import InferenceError
from camfleet.inference.kserve import MEMORY_REGISTER, MEMORY_UNREGISTER
from camfleet_contracts.protocols import inference_pb2 as pb

SMALLEST_SEGMENT = 1 << 16  # bytes; less is sooner in the message
FORGET_LIMIT_S = 1.0
_FOLDER = Path("/dev/shm")  # noqa: S108 - where shm_open keeps segments
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW


class _Segment:
    """One piece of memory that the server knows under a name."""

    def __init__(self, channels: Channels, size_bytes: int) -> None:
        self.name = f"camfleet-{os.getpid()}-{secrets.token_hex(6)}"
        self.size_bytes = -(-size_bytes // mmap.PAGESIZE) * mmap.PAGESIZE
        path = _FOLDER / self.name
        descriptor = os.open(path, _NEW, 0o600)
        try:
            os.ftruncate(descriptor, self.size_bytes)
            self._memory = mmap.mmap(descriptor, self.size_bytes)
            channels.call(MEMORY_REGISTER, self._registration())
        finally:
            os.close(descriptor)
            path.unlink()

    def _registration(self) -> bytes:
        message = pb.SystemSharedMemoryRegisterRequest(
            name=self.name, key=self.name, byte_size=self.size_bytes
        )
        return message.SerializeToString()

    def fill(self, tensor: NDArray[Any]) -> None:
        """Copy a tensor to the beginning."""
        held = np.frombuffer(self._memory, tensor.dtype, tensor.size)
        held.reshape(tensor.shape)[...] = tensor


class Segments:
    """As many segments as there are requests at once. Thread-safe."""

    def __init__(self, channels: Channels) -> None:
        self._channels = channels
        self._lock = threading.Lock()
        self._free: list[_Segment] = []

    @contextmanager
    def lend(self, tensor: NDArray[Any]) -> Iterator[str]:
        """Let a tensor lie in a segment, whose name is given, until the block ends.

        After an error the segment is given up: the server may still read it.
        """
        segment = self._take(tensor.nbytes)
        segment.fill(tensor)
        try:
            yield segment.name
        except BaseException:
            self._forget(segment)
            raise
        with self._lock:
            self._free.append(segment)

    def close(self) -> None:
        """Let the server forget all of them."""
        with self._lock:
            free, self._free = self._free, []
        for segment in free:
            self._forget(segment)

    def _take(self, size_bytes: int) -> _Segment:
        with self._lock:
            for segment in self._free:
                if segment.size_bytes >= size_bytes:
                    self._free.remove(segment)
                    return segment
            smaller = self._free.pop() if self._free else None
        if smaller is not None:
            self._forget(smaller)
        return _Segment(self._channels, size_bytes)

    def _forget(self, segment: _Segment) -> None:
        message = pb.SystemSharedMemoryUnregisterRequest(name=segment.name)
        with suppress(InferenceError):  # a server that is gone has forgotten it
            self._channels.call(
                MEMORY_UNREGISTER, message.SerializeToString(), timeout_s=FORGET_LIMIT_S
            )
