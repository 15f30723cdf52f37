"""Who changed what through HTTP: a line in the log for each change, and the newest ones to show."""

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from camfleet_contracts.clock import now_utc, rfc3339

logger = logging.getLogger(__name__)

KEPT = 200


@dataclass(frozen=True, slots=True)
class Change:
    """One request that wanted to change something; `status` is how it was answered."""

    time: str  # RFC 3339, UTC
    who: str  # the name of the key
    role: str
    action: str  # "change camera", "roll back models" ...
    subject: str  # what it is about, never a secret
    status: int  # HTTP
    reason: str | None = None  # why it was refused


class AuditTrail:
    """The newest changes of this process; the log keeps them all. Lives in the event loop."""

    def __init__(self, clock: Callable[[], str] = lambda: rfc3339(now_utc())) -> None:
        self._changes: deque[Change] = deque(maxlen=KEPT)
        self._clock = clock

    def note(
        self, who: tuple[str, str], what: tuple[str, str], status: int, reason: str | None = None
    ) -> None:
        """Keep and log one: (name, role) of the key, (action, subject), and the answer."""
        change = Change(self._clock(), *who, *what, status, reason)
        self._changes.appendleft(change)
        text = "audit who=%s role=%s action=%r subject=%r status=%s reason=%s"
        level = logging.INFO if reason is None else logging.WARNING
        logger.log(level, text, *who, *what, status, reason)

    def facts(self) -> list[dict[str, Any]]:
        """What is kept, newest first."""
        return [asdict(change) for change in self._changes]
