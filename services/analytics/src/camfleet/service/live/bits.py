"""Read single bits and Exp-Golomb numbers, as H.264 headers are written."""


class BitReader:
    """Reads from the most significant bit on; past the end every bit is 0."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._left = len(data) * 8

    def bits(self, count: int) -> int:
        """The next `count` bits as an unsigned number."""
        self._left -= count
        shifted = self._value >> self._left if self._left >= 0 else self._value << -self._left
        return shifted & ((1 << count) - 1)

    def flag(self) -> bool:
        """The next bit."""
        return self.bits(1) == 1

    def unsigned(self) -> int:
        """An Exp-Golomb number, ue(v)."""
        zeros = 0
        while self._left > 0 and not self.flag():
            zeros += 1
        return (1 << zeros) - 1 + self.bits(zeros)

    def signed(self) -> int:
        """A signed Exp-Golomb number, se(v)."""
        number = self.unsigned()
        return (number + 1) // 2 if number % 2 else -(number // 2)
