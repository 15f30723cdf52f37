"""What a sink is to the thread that feeds it, and what it gets to know."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from camfleet.service.events.stored import Stored
from camfleet_contracts.cameras import Camera


class SinkDown(Exception):
    """Nothing can be delivered now; `retry_after_s` when the other side said for how long."""

    def __init__(self, reason: str, retry_after_s: float = 0.0) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(reason)


class SinkUnusable(SinkDown):
    """Nothing can be delivered before somebody changes settings or installs something."""


class Delivery(Protocol):
    """An open connection, or what stands for one. Lives in the sink's event loop."""

    at_once: int  # events that are given together

    async def deliver(self, events: Sequence[Stored]) -> int:
        """Return when the other side has them; the number of those it refused for good.

        Called without events when something may have changed. Raises SinkDown.
        """

    async def wait_lost(self) -> str:
        """Return when the connection is gone, with the reason."""


@dataclass(frozen=True, slots=True)
class CameraNow:
    """What a camera is, has counted and sees at this moment."""

    state: str
    lines: Mapping[str, tuple[int, int]]  # in and out
    zones: Mapping[str, int]  # objects inside


def nothing_known(_: Camera) -> CameraNow | None:
    """No camera has begun."""
    return None


@dataclass(frozen=True, slots=True)
class SinkContext:
    """What all sinks of a service may know."""

    device_id: str
    environment: Callable[[], dict[str, str]]
    events_folder: Path
    webhook_hosts: frozenset[str]
    cameras: Callable[[str], tuple[Camera, ...]]  # those whose events go to the sink of that name
    all_cameras: Callable[[], tuple[Camera, ...]]  # whichever sink they go to
    now: Callable[[Camera], CameraNow | None]  # None before a camera's settings are in force


class Opener(Protocol):
    """Opens one kind of sink. Raises SinkDown."""

    def __call__(
        self, name: str, settings: Any, context: SinkContext
    ) -> AbstractAsyncContextManager[Delivery]:
        """The connection for as long as it lives."""
