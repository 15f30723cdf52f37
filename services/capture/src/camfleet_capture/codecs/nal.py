"""NAL units, as H.264 and H.265 share them: framings and bits."""

_READ_LIMIT_BYTES = 512


def split_start_codes(payload: bytes) -> list[bytes]:
    """Split an Annex B byte stream; a NAL unit never ends in a zero byte, so padding goes."""
    return [nal for part in payload.split(b"\0\0\1")[1:] if (nal := part.rstrip(b"\0"))]


def split_lengths(payload: memoryview, length_size: int) -> list[bytes]:
    """Split length-prefixed NAL units (MP4, Matroska); a broken length ends the list."""
    nals = []
    start = 0
    while start + length_size < len(payload):
        size = int.from_bytes(payload[start : start + length_size])
        start += length_size
        if nal := bytes(payload[start : start + size]):
            nals.append(nal)
        start += size
    return nals


def unescape(nal: bytes) -> bytes:
    """Return a NAL unit without emulation prevention."""
    return nal.replace(b"\0\0\3", b"\0\0")


class Bits:
    """Reads bits and Exp-Golomb codes; IndexError past the end."""

    def __init__(self, payload: bytes) -> None:
        self._bits = "".join(f"{byte:08b}" for byte in payload[:_READ_LIMIT_BYTES])
        self._next = 0

    def take(self, count: int) -> int:
        """Return the next `count` bits."""
        end = self._next + count
        if end > len(self._bits):
            raise IndexError
        value = int(self._bits[self._next : end] or "0", 2)
        self._next = end
        return value

    def unsigned(self) -> int:
        """Return an unsigned Exp-Golomb code."""
        zeros = 0
        while not self.take(1):
            zeros += 1
        return (1 << zeros) - 1 + self.take(zeros)

    def signed(self) -> int:
        """Return a signed Exp-Golomb code."""
        code = self.unsigned()
        return (code + 1) // 2 if code % 2 else -(code // 2)
