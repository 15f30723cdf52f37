"""What a check says."""

from typing import Literal, NamedTuple

Verdict = Literal["ok", "note", "bad"]


class Finding(NamedTuple):
    """One line of the doctor's table; `bad` must be mended, `note` may be as wanted."""

    check: str
    verdict: Verdict
    text: str
