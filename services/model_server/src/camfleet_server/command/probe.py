"""`camfleet-server probe`: what this machine can run models on, as one JSON object."""

import argparse
import json
import os
import platform
import re
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from camfleet_server.cpu_share import CpuShare, read_cpu_share
from camfleet_server.runtimes.inventory import list_runtimes

_TELLING_FLAGS = (
    *("sse4_2", "avx", "avx2", "fma", "f16c", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16"),
    *("amx_tile", "amx_int8", "amx_bf16", "asimd", "asimdhp", "asimddp", "i8mm", "bf16", "sve"),
)
_CPU_INFO = Path("/proc/cpuinfo")


def run_probe(arguments: Sequence[str]) -> int:
    """Print the JSON and return the exit code: 1 when no runtime is there."""
    parser = argparse.ArgumentParser(prog="camfleet-server probe", description=__doc__)
    parser.parse_args(arguments)
    runtimes = list_runtimes()
    told = {
        "server": version("camfleet-server"),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cpu": describe_cpu(_read(_CPU_INFO), read_cpu_share()),
        "runtimes": runtimes,
    }
    sys.stdout.write(json.dumps(told, indent=2) + "\n")
    return 0 if any(runtime["available"] for runtime in runtimes.values()) else 1


def describe_cpu(cpu_info: str, share: CpuShare) -> dict[str, Any]:
    """Return model, cores, quota and instruction sets; `cpu_info` is the text of /proc/cpuinfo."""
    names = re.search(r"^(?:model name|Model|Hardware)\s*:\s*(.+)$", cpu_info, re.MULTILINE)
    flags = re.search(r"^(?:flags|Features)\s*:\s*(.+)$", cpu_info, re.MULTILINE)
    held = set(flags.group(1).split()) if flags else set()
    return {
        "model": names.group(1).strip() if names else platform.processor(),
        "cores": os.cpu_count(),
        "usable_cores": share.cores,
        "cgroup_quota_cores": share.quota,
        "threads": share.threads,
        "instruction_sets": [flag for flag in _TELLING_FLAGS if flag in held],
    }


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
