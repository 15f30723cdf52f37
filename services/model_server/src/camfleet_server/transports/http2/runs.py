"""Equal DATA frames in a row, as clients cut a large message: received where they belong."""

from camfleet_server.transports.http2.frames import FRAME_HEAD_BYTES

_MOST_FRAMES = 64
_NOTHING = memoryview(b"")


class Run:
    """Frames that are expected next; belongs to the thread that reads.

    Their heads go to memory of their own, their bodies one behind the other into a message. What
    came instead of an expected frame, and all behind it, is given back by `rest`.
    """

    def __init__(self) -> None:
        self._heads: list[memoryview] = []  # as many as were ever expected
        self._expected = _MOST_FRAMES  # at most, from what came before
        self._frames = 0
        self._room = _NOTHING
        self._size = 0
        self._parts: list[memoryview] = []

    def parts(self, room: memoryview, size: int) -> list[memoryview]:
        """Return where frames with `size` bytes of body are to be received: head, body, head ..."""
        self._room, self._size = room, size
        self._frames = min(len(room) // size, self._expected)
        while len(self._heads) < self._frames:
            self._heads.append(memoryview(bytearray(FRAME_HEAD_BYTES)))
        parts: list[memoryview] = []
        at = 0
        for head in self._heads[: self._frames]:
            parts += (head, room[at : at + size])
            at += size
        self._parts = parts
        return parts

    def take(self, count: int, head: bytes) -> int:
        """Tell how many of the frames came whole and with the expected head, of `count` bytes."""
        whole = min(count // (FRAME_HEAD_BYTES + self._size), self._frames)
        if b"".join(self._heads[:whole]) == head * whole:
            good = whole
            self._expected = min(_MOST_FRAMES, 2 * self._expected)
        else:
            good = next(at for at, found in enumerate(self._heads) if found != head)
            self._expected = max(1, good)
        return good

    def bodies(self, frames: int) -> memoryview:
        """Return the bodies of so many frames."""
        return self._room[: frames * self._size]

    def rest(self, frames: int, count: int) -> bytes:
        """Return what came behind so many frames, of `count` bytes; the message is let go of."""
        step = FRAME_HEAD_BYTES + self._size
        left = min(count, self._frames * step) - frames * step
        reached = frames + left // step + 1
        behind = b"".join(self._parts[2 * frames : 2 * reached])[:left]
        self._parts, self._room = [], _NOTHING
        return behind
