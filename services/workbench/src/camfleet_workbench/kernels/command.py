"""`camfleet-workbench kernel list|add|repair|remove`: environments for notebooks."""

import argparse
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from camfleet_contracts.settings import process_environment, read_settings
from camfleet_workbench.kernels.check import fault_of
from camfleet_workbench.kernels.environment import (
    KernelEnvironment,
    ensure_environment,
    installed_environments,
    remove_environment,
)

PACKAGES: Mapping[str, tuple[str, ...]] = {
    "torch": ("torch",),
    "tensorflow": (
        "tensorflow-cpu ; platform_machine == 'x86_64'",
        "tensorflow ; platform_machine != 'x86_64'",
    ),
}
_OWN = "python3"


def kernel_main(arguments: Sequence[str]) -> int:
    """Run the command; the exit code."""
    options = _parse(arguments)
    settings = read_settings(notebooks_dir=options.notebooks)
    kernel = KernelEnvironment(settings.notebooks_dir, getattr(options, "name", _OWN))
    if options.verb == "list":
        return _list(settings.notebooks_dir)
    if options.verb == "add":
        return _add(kernel, options.rest)
    if options.verb == "repair":
        return _repair(kernel)
    if kernel.name == _OWN:
        return _fail("the kernel python3 is the notebooks' own; `kernel repair` rebuilds it")
    remove_environment(kernel)
    return _say(f"kernel {kernel.name} removed")


def _list(notebooks: Path) -> int:
    for kernel in installed_environments(notebooks):
        own = ", ".join(kernel.installed()) or "nothing of its own"
        _say(f"{kernel.name}: {fault_of(kernel) or own}")
    return 0


def _add(kernel: KernelEnvironment, rest: Sequence[str]) -> int:
    """Make an environment with a framework; one whose packages cannot be had is taken back."""
    if kernel.spec.exists():
        return _fail(f"kernel {kernel.name} is there already; `kernel remove {kernel.name}` first")
    ensure_environment(kernel.notebooks, kernel.name, f"{kernel.name} (camfleet)")
    wanted = PACKAGES.get(kernel.name, (kernel.name,))
    code = _install(kernel, [*wanted, *rest])
    if code:
        remove_environment(kernel)
        return _fail(
            f"{kernel.name} could not be installed and nothing was kept; pip says why above"
        )
    return _say(f"kernel {kernel.name} is there; choose it in JupyterLab at Kernel, Change Kernel")


def _repair(kernel: KernelEnvironment) -> int:
    """Make an environment anew and install again what was in it."""
    packages = kernel.installed() if kernel.packages.is_dir() else []
    titles = {_OWN: ""}
    remove_environment(kernel)
    ensure_environment(
        kernel.notebooks, kernel.name, titles.get(kernel.name, f"{kernel.name} (camfleet)")
    )
    if packages and _install(kernel, packages):
        return _fail(f"kernel {kernel.name} starts again, without: {' '.join(packages)}")
    return _say(f"kernel {kernel.name} starts again, with {len(packages)} packages of its own")


def _install(kernel: KernelEnvironment, packages: Sequence[str]) -> int:
    environment = {**process_environment(), "PIP_CONSTRAINT": str(kernel.constraints)}
    command = [str(kernel.python), "-m", "pip", "install", *packages]
    return subprocess.run(command, env=environment, check=False).returncode


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="camfleet-workbench kernel", description="Environments for notebooks on their volume."
    )
    parser.add_argument("--notebooks", type=Path, help="folder of the notebooks (var/notebooks)")
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("list", help="kernels, their own packages, and what is wrong with them")
    add = verbs.add_parser("add", help="a kernel with torch, tensorflow, or any other package")
    add.add_argument("name", help="torch, tensorflow, or the name of a package")
    add.add_argument("rest", nargs=argparse.REMAINDER, help="passed to pip, e.g. --index-url URL")
    for verb, text in (("repair", "rebuild it, with its packages"), ("remove", "delete it")):
        made = verbs.add_parser(verb, help=text)
        made.add_argument("name", nargs="?", default=_OWN)
    return parser.parse_args(arguments)


def _say(line: str) -> int:
    sys.stdout.write(line + "\n")
    return 0


def _fail(line: str) -> int:
    sys.stderr.write(f"camfleet-workbench: {line}\n")
    return 1
