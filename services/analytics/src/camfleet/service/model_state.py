"""What a pipeline knows of its model, as the page shows it."""

from dataclasses import dataclass, replace
from typing import Literal

from camfleet.inference.errors import InferenceError, ModelNotReady, ServerAbsent, ServerSilent

Health = Literal["ok", "warning", "failed"]


@dataclass(frozen=True, slots=True)
class ModelState:
    """A snapshot; `reason` says what to do next."""

    name: str  # as configured, "name" or "name:version"
    version: int | None = None  # that answered last
    state: Health = "ok"
    reason: str | None = None
    server_answers: bool = True


def state_after(before: ModelState, error: InferenceError) -> ModelState:
    """The state once a request failed; what heals by waiting is a warning."""
    absent = isinstance(error, ServerAbsent)
    health: Health = "warning" if absent or isinstance(error, ModelNotReady) else "failed"
    return replace(before, state=health, reason=_words(error), server_answers=not absent)


def _words(error: InferenceError) -> str:
    if isinstance(error, ServerAbsent) and not isinstance(error, ServerSilent):
        return f"waiting for model server {error.server}"
    return str(error)
