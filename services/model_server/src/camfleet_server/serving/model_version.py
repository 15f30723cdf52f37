"""One loaded version of a model, with what is needed to answer requests for it."""

from dataclasses import dataclass, field

from camfleet_server.images.entrance import Entrances
from camfleet_server.runtimes.base import Servable
from camfleet_server.serving.durability import GuardedInference
from camfleet_server.serving.scheduler import Scheduler
from camfleet_server.serving.statistics import VersionStatistics
from camfleet_server.types import Manifest


@dataclass(frozen=True, slots=True)
class LoadedVersion:
    """Loaded and warmed up; `key` stands for the content and the settings it was loaded from."""

    name: str
    number: int
    key: str
    servable: Servable
    entrances: Entrances
    scheduler: Scheduler
    inference: GuardedInference
    manifest: Manifest
    statistics: VersionStatistics = field(default_factory=VersionStatistics)

    def close(self) -> None:
        """Give the memory back; nobody infers any more."""
        self.entrances.close()
        self.servable.close()
