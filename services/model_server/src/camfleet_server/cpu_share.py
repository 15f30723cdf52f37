"""How many CPU threads are ours: the quota of the container, not the cores of its host."""

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_V1_MOUNTS = ("cpu", "cpu,cpuacct")


@dataclass(frozen=True, slots=True)
class CpuShare:
    """What this process may use: `cores` by its CPU set, `quota` in cores where there is one."""

    cores: int
    quota: float | None = None

    @property
    def threads(self) -> int:
        """Return how many threads can run at once: the quota rounded up, at least 1."""
        return self.cores if self.quota is None else max(1, min(self.cores, math.ceil(self.quota)))

    @property
    def is_limited(self) -> bool:
        """Tell whether the quota allows less than the cores."""
        return self.threads < self.cores


def read_cpu_share(
    cgroup_root: Path = Path("/sys/fs/cgroup"),
    membership: Path = Path("/proc/self/cgroup"),
    cores: int | None = None,
) -> CpuShare:
    """Read the smallest quota of the process's cgroup and those above it (cgroup v1 and v2).

    `cores` are those of the process's affinity, which follows cpusets, unless they are given.
    """
    quotas = [quota for folder in _cgroups(cgroup_root, membership) if (quota := _quota(folder))]
    found = len(os.sched_getaffinity(0)) if cores is None else cores
    return CpuShare(found, min(quotas, default=None))


def _cgroups(root: Path, membership: Path) -> Iterator[Path]:
    """Go through every folder that may hold a quota of ours, ours and its parents."""
    for hierarchy, path in _paths(membership):
        mounts = [root, root / "unified"] if not hierarchy else [root / m for m in _V1_MOUNTS]
        for mount in mounts:
            # In a container the path may be the host's, of which only the root is mounted here.
            own = mount / path.strip("/")
            yield from (folder for folder in (own, *own.parents) if folder.is_relative_to(mount))


def _paths(membership: Path) -> Iterator[tuple[str, str]]:
    """Read the lines `id:controllers:path` that have to do with the CPU; v2 names no controller."""
    for line in _read(membership).splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers or "cpu" in controllers.split(","):
            yield controllers, path


def _quota(folder: Path) -> float | None:
    v2 = _read(folder / "cpu.max").split()
    v1 = (_read(folder / "cpu.cfs_quota_us"), _read(folder / "cpu.cfs_period_us"))
    quota, period = v2 if len(v2) == len(v1) else v1
    try:
        cores = int(quota) / int(period)
    except (ValueError, ZeroDivisionError):  # "max", or nothing there
        return None
    return cores if cores > 0 else None


def _read(file: Path) -> str:
    try:
        return file.read_text().strip()
    except OSError:
        return ""
