"""Does a request come alone, or is there a crowd? Decided from what each one meets."""

_ENOUGH = 8


class CrowdGauge:
    """Counts up with each request that meets others and down with each that comes alone.

    It becomes a crowd at 8 and stays one until 0, so that a few that coincide change nothing, and
    a mix of both does not flap. Not safe for threads; the scheduler holds its lock.
    """

    __slots__ = ("_meetings", "is_crowd")

    def __init__(self) -> None:
        self._meetings = 0
        self.is_crowd = False

    def note(self, *, meets_others: bool) -> None:
        """Take note of one more request."""
        if meets_others:
            if self._meetings < _ENOUGH:
                self._meetings += 1
                self.is_crowd = self.is_crowd or self._meetings == _ENOUGH
        elif self._meetings:
            self._meetings -= 1
            self.is_crowd = self.is_crowd and self._meetings > 0
