"""What a pipeline knows of its model, as the page shows it."""

from dataclasses import dataclass, replace
from typing import Literal

from camfleet.inference.errors import InferenceError, ModelNotReady, ServerAbsent

Health = Literal["ok", "warning", "failed"]


@dataclass(frozen=True, slots=True)
class ModelState:
    """A snapshot; `reason` says what to do next."""

    name: str  # as configured, "name" or "name:version"
    version: int | None = None  # that answered last
    state: Health = "ok"
    reason: str | None = None


def state_after(before: ModelState, error: InferenceError) -> ModelState:
    """The state once a request failed; what heals by waiting is a warning."""
    waits = isinstance(error, ServerAbsent | ModelNotReady)
    return replace(before, state="warning" if waits else "failed", reason=str(error))
