"""Equal DATA frames in a row, as clients cut a large message: received where they belong."""

from camfleet_server.transports.http2.frames import FRAME_HEAD_BYTES

_MOST_FRAMES = 64


class Run:
    """Frames that are expected next; belongs to the thread that reads.

    Their heads go to memory of their own, their bodies one behind the other into a message. What
    came instead of an expected frame, and all behind it, is given back by `rest`.
    """

    def __init__(self) -> None:
        heads = memoryview(bytearray(_MOST_FRAMES * FRAME_HEAD_BYTES))
        self._heads = heads
        self._slots = [heads[at : at + FRAME_HEAD_BYTES] for at in range(0, len(heads), 9)]
        self._expected = _MOST_FRAMES  # at most, from what came before
        self._frames = 0
        self._room = heads[:0]
        self._size = 0
        self._parts: list[memoryview] = []

    def parts(self, room: memoryview, size: int) -> list[memoryview]:
        """Return where frames with `size` bytes of body are to be received: head, body, head ..."""
        self._room, self._size = room, size
        self._frames = min(len(room) // size, self._expected)
        parts: list[memoryview] = []
        at = 0
        for slot in self._slots[: self._frames]:
            parts += (slot, room[at : at + size])
            at += size
        self._parts = parts
        return parts

    def take(self, count: int, head: bytes) -> int:
        """Tell how many of the frames came whole and with the expected head, of `count` bytes."""
        whole = min(count // (FRAME_HEAD_BYTES + self._size), self._frames)
        if self._heads[: whole * FRAME_HEAD_BYTES] == head * whole:
            good = whole
            self._expected = min(_MOST_FRAMES, 2 * self._expected)
        else:
            good = next(at for at, slot in enumerate(self._slots) if slot != head)
            self._expected = max(1, good)
        return good

    def bodies(self, frames: int) -> memoryview:
        """Return the bodies of so many frames."""
        return self._room[: frames * self._size]

    def rest(self, frames: int, count: int) -> bytes:
        """Return what was received behind so many frames, of `count` bytes in all."""
        step = FRAME_HEAD_BYTES + self._size
        left = min(count, self._frames * step) - frames * step
        reached = frames + left // step + 1
        return b"".join(self._parts[2 * frames : 2 * reached])[:left]
