"""What the running server says of a version that was just published."""

import time
from typing import NamedTuple

from camfleet.cli.server_status import VersionState, served_models
from camfleet_contracts.settings import FleetSettings

_POLL_S = 0.2
_FORGETS_WITHIN_S = 10.0
_GONE_AFTER_S = 5.0  # a server that does not answer for so long is taken for absent


class Verdict(NamedTuple):
    """`state` is the server's word for it; empty when it said nothing in time.

    `successor` is the version that is served in its place, where it has given way to a newer one.
    """

    state: str
    reason: str = ""
    successor: int | None = None

    @property
    def is_available(self) -> bool:
        """Whether requests are answered by it."""
        return self.state == "AVAILABLE"

    @property
    def is_refused(self) -> bool:
        """Whether the server tried it and gave a reason."""
        return not self.is_available and bool(self.reason)

    @property
    def is_final(self) -> bool:
        """Whether nothing more is to be waited for."""
        return self.is_available or self.is_refused or self.successor is not None


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
            if verdict.is_final:
                return verdict
        elif now - answered_at > min(_GONE_AFTER_S, limit_s) or verdict is None:
            return verdict
        time.sleep(_POLL_S)
    return verdict


def wait_until_forgotten(settings: FleetSettings, name: str, version: int) -> None:
    """Wait while the server still has what had this number before: its verdict is of that."""
    began_at = time.monotonic()
    while time.monotonic() - began_at < _FORGETS_WITHIN_S:
        before = _verdict_of((served_models(settings) or {}).get(name, ()), version)
        if not (before.is_available or before.is_refused):
            return
        time.sleep(_POLL_S)


def _verdict_of(states: tuple[VersionState, ...], version: int) -> Verdict:
    state = next((one for one in states if one.version == version), None)
    if state is None:
        return Verdict("")
    newer = (one.version for one in states if one.version > version and one.state == "AVAILABLE")
    successor = next(newer, None) if state.state == "END" else None
    return Verdict(state.state, state.reason, successor)
