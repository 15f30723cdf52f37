"""One loaded version of a model, with what is needed to answer requests for it."""

from dataclasses import dataclass

from camfleet_server.runtimes.base import Servable
from camfleet_server.serving.scheduler import Scheduler
from camfleet_server.types import Manifest


@dataclass(frozen=True, slots=True)
class LoadedVersion:
    """Loaded and warmed up; `key` stands for the content and the settings it was loaded from."""

    name: str
    number: int
    key: str
    servable: Servable
    scheduler: Scheduler
    manifest: Manifest
