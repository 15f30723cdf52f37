"""How much memory is free for us: the limit of the container, not only the host's."""

import re
from collections.abc import Iterator
from pathlib import Path

_FILES = (  # limit, used, and under which name what is used counts pages of files
    ("memory.max", "memory.current", "inactive_file"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "total_inactive_file"),
)


def free_memory_bytes(
    memory_info: Path = Path("/proc/meminfo"), cgroup: Path = Path("/sys/fs/cgroup")
) -> int | None:
    """Return what can be had without swapping; None where the system does not say."""
    found = re.search(r"^MemAvailable:\s*(\d+) kB", _read(memory_info), re.MULTILINE)
    host = [int(found[1]) * 1024] if found else []
    return min([*host, *_left_in_cgroup(cgroup)], default=None)


def _left_in_cgroup(root: Path) -> Iterator[int]:
    for limit_file, used_file, reclaimable in _FILES:
        limit, used = _read(root / limit_file), _read(root / used_file)
        if limit.isdecimal() and used.isdecimal():
            statistics = _read((root / limit_file).parent / "memory.stat")
            pages = re.search(rf"^{reclaimable} (\d+)", statistics, re.MULTILINE)
            yield max(0, int(limit) - int(used) + (int(pages[1]) if pages else 0))


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
