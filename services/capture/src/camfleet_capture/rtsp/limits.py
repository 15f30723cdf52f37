"""What one address may ask of the server, so that none takes it away from the others."""

from collections import Counter
from collections.abc import Callable

from camfleet_contracts.access import is_loopback

CONNECTION_LIMIT = 256
ADDRESS_LIMIT = 128  # of them from one other machine
BURST, RATE_PER_S = 1000, 100.0
_LONGEST_WAIT_S, _LONGEST_WAIT_TO_CONNECT_S = 2.0, 1.0
_REMEMBERED = 1024


class AddressLimits:
    """Counts open connections, and the requests of late, per address.

    Who asks too much is slowed down, and who connects too much is refused meanwhile; both are
    forgiven within seconds. Belongs to the event loop.

    Args:
        clock: seconds, as time.monotonic() tells them.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._open: Counter[str] = Counter()
        self._spent: dict[str, tuple[float, float]] = {}  # requests at a moment, which fade

    def admits(self, address: str) -> bool:
        """Tell whether one more connection from there may stay."""
        if self.spend(address) > _LONGEST_WAIT_TO_CONNECT_S:
            return False
        if self._open.total() >= CONNECTION_LIMIT:
            return False
        return is_loopback(address) or self._open[address] < ADDRESS_LIMIT

    def enter(self, address: str) -> None:
        """Count a connection."""
        self._open[address] += 1

    def leave(self, address: str) -> None:
        """Count it no longer."""
        self._open[address] -= 1
        if not self._open[address]:
            del self._open[address]

    def spend(self, address: str) -> float:
        """Note a request; returns how many seconds it has to wait."""
        now = self._clock()
        spent, at = self._spent.get(address, (0.0, now))
        spent = max(0.0, spent - (now - at) * RATE_PER_S) + 1
        spent = min(spent, BURST + _LONGEST_WAIT_S * RATE_PER_S)
        if address not in self._spent and len(self._spent) >= _REMEMBERED:
            self._forget_idle(now)
        self._spent[address] = spent, now
        return max(0.0, spent - BURST) / RATE_PER_S

    def _forget_idle(self, now: float) -> None:
        """Keep those only whose requests have not faded yet, the newest if they are too many."""
        kept = {a: s for a, s in self._spent.items() if s[0] > (now - s[1]) * RATE_PER_S}
        self._spent = dict([*kept.items()][-_REMEMBERED // 2 :])
