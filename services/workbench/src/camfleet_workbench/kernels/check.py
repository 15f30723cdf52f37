"""`camfleet doctor`: does the kernel of the notebooks start, and do its packages fit?"""

import subprocess
from collections.abc import Iterator

from camfleet.cli.checks.finding import Finding
from camfleet_contracts.settings import FleetSettings
from camfleet_workbench.kernels.environment import KernelEnvironment, installed_environments

_NEEDED = "import ipykernel, numpy, cv2, google.protobuf, camfleet_workbench"
_LIMIT_S = 60.0


def check_kernels(settings: FleetSettings) -> Iterator[Finding]:
    """One line for each kernel on the volume of the notebooks."""
    for kernel in installed_environments(settings.notebooks_dir):
        reason = fault_of(kernel)
        if reason:
            way = f"camfleet-workbench kernel repair {kernel.name}"
            yield Finding(f"kernel {kernel.name}", "bad", f"{reason}; mend it with: {way}")
        else:
            count = len(kernel.installed())
            yield Finding(f"kernel {kernel.name}", "ok", f"{count} packages of its own")


def fault_of(kernel: KernelEnvironment) -> str:
    """Why a kernel cannot start or import what notebooks need; empty when it can."""
    if not kernel.python.exists():
        return f"{kernel.python} is not there"
    try:
        run = subprocess.run(
            [str(kernel.python), "-c", _NEEDED],
            capture_output=True,
            text=True,
            timeout=_LIMIT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"its Python does not run: {error}"
    lines = run.stderr.strip().splitlines() or [f"ended with {run.returncode}"]
    return "" if run.returncode == 0 else lines[-1]
