"""How long to wait before the next try."""

import random

SHORTEST_S = 0.25
LONGEST_S = 2.0
LONGEST_SILENT_S = 30.0


class Backoff:
    """Doubles from 0.25 s up to 2 s, or 30 s where the host does not answer at all."""

    def __init__(self) -> None:
        self._wait_s = SHORTEST_S
        self._silent = False

    def host_is_silent(self) -> None:
        """The last try got no sensible answer."""
        self._silent = True

    def reset(self) -> None:
        """The last try worked."""
        self._wait_s, self._silent = SHORTEST_S, False

    def next_s(self) -> float:
        """Seconds to wait now, spread so that many cameras do not come back at once."""
        wait_s = self._wait_s
        longest_s = LONGEST_SILENT_S if self._silent else LONGEST_S
        self._wait_s = min(self._wait_s * 2, longest_s)
        self._silent = False
        return wait_s * random.uniform(0.8, 1.2)  # noqa: S311 - spreads load, guards nothing
