"""From costs to cameras: how many of a kind fit, and what they would run out of first."""

import math
import os
from dataclasses import dataclass
from pathlib import Path

from camfleet.cli.capacity.films import RATE
from camfleet.cli.capacity.measuring import InferenceCost

FULL = 0.7  # of all cores; above it answers come late and frames are dropped
# What is not measured here, in decoded 720p pictures: these take 2.7 ms where `bench-analytics` had
# 8 ms/s for reading and 1 ms a picture for events and results; capture takes 13 for one reader.
_READING, _CAPTURE, _PUBLISHING = 3.0, 5.0, 0.4
_CGROUP = Path("/sys/fs/cgroup/cpu.max")


@dataclass(frozen=True, slots=True)
class Costs:
    """Milliseconds of processor time."""

    decode_ms: float
    reference_decode_ms: float  # of a 720p frame
    inference: InferenceCost
    track_ms: float

    def stages(self, fps: float) -> dict[str, float]:
        """A camera's milliseconds a second, by what they go to."""
        picture_ms = self.reference_decode_ms
        return {
            "decoding": RATE * self.decode_ms,
            "inference": fps * (self.inference.server_ms or 0.0),
            "asking": fps * self.inference.client_ms,
            "tracking and events": fps * (self.track_ms + _PUBLISHING * picture_ms),
            "capture and reading": (_READING + _CAPTURE) * picture_ms,
        }


@dataclass(frozen=True, slots=True)
class Capacity:
    """Of one kind of camera at one rate."""

    film: str
    fps: float
    camera_ms_s: float
    cameras: int
    bottleneck: str


def capacity(film: str, costs: Costs, fps: float, cores: float) -> Capacity:
    """How many fit into a share of the cores, and which stage takes most."""
    stages = costs.stages(fps)
    camera_ms_s = sum(stages.values())
    cameras = math.floor(1000 * cores * FULL / camera_ms_s)
    return Capacity(film, fps, camera_ms_s, cameras, max(stages, key=lambda name: stages[name]))


def usable_cores(cgroup: Path = _CGROUP) -> float:
    """Cores of this process: those it may run on, within the container's quota."""
    cores = float(len(os.sched_getaffinity(0)))
    try:
        quota, period = cgroup.read_text().split()
    except (OSError, ValueError):
        return cores
    return cores if quota == "max" else min(cores, int(quota) / int(period))
