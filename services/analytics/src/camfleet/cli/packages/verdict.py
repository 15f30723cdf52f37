"""What the running server says of a version that was just published."""

import time
from typing import NamedTuple

from camfleet.cli.server_status import VersionState, served_models
from camfleet_contracts.settings import FleetSettings

_POLL_S = 0.2
_GONE_AFTER_S = 5.0  # a server that does not answer for so long is taken for absent


class Verdict(NamedTuple):
    """`state` is the server's word for it; empty when it said nothing in time."""

    state: str
    reason: str = ""

    @property
    def is_available(self) -> bool:
        """Whether requests are answered by it."""
        return self.state == "AVAILABLE"

    @property
    def is_refused(self) -> bool:
        """Whether the server tried it and gave a reason."""
        return not self.is_available and bool(self.reason)


def wait_for_verdict(
    settings: FleetSettings, name: str, version: int, limit_s: float
) -> Verdict | None:
    """Wait until the server has loaded or refused a version; None when no server answers."""
    began_at = answered_at = time.monotonic()
    verdict: Verdict | None = None
    while (now := time.monotonic()) - began_at < limit_s:
        states = served_models(settings)
        if states is not None:
            answered_at = now
            verdict = _verdict_of(states.get(name, ()), version)
            if verdict.is_available or verdict.is_refused:
                return verdict
        elif now - answered_at > min(_GONE_AFTER_S, limit_s) or verdict is None:
            return verdict
        time.sleep(_POLL_S)
    return verdict


def _verdict_of(states: tuple[VersionState, ...], version: int) -> Verdict:
    state = next((one for one in states if one.version == version), None)
    return Verdict(state.state, state.reason) if state else Verdict("")
