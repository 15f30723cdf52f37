"""Installs the vendor's Debian packages for Hailo cards, and looks whether the driver is there.

Names of package, kernel module and device node are those of the vendor's HailoRT user guide.
Not run on hardware.
"""

from collections.abc import Sequence
from pathlib import Path

from camfleet.cli.console import note
from camfleet.cli.errors import CommandError
from camfleet.cli.root_commands import run_as_root, run_program

DRIVER = "hailort-pcie-driver"
MODULE = Path("/sys/module/hailo_pci")
DEVICES = Path("/dev")
_NODES = "hailo[0-9]*"


def install(packages: Sequence[Path]) -> None:
    """Install packages, the driver's among them, and say what became of it.

    Raises:
        CommandError: a file is not a package, the driver is missing, or the installation failed.
    """
    names = [_package_name(path) for path in packages]
    if DRIVER not in names:
        raise CommandError(
            f"none of {', '.join(path.name for path in packages)} is the package {DRIVER}; "
            "download it from the vendor's developer zone and name it too"
        )
    run_as_root("apt-get", "install", "--yes", *(str(path.resolve()) for path in packages))
    note(_found())


def uninstall() -> None:
    """Remove the driver's package.

    Raises:
        CommandError: it is not installed, or cannot be removed.
    """
    status = run_program("dpkg-query", "--show", "--showformat=${db:Status-Status}", DRIVER)
    if status.stdout.strip() != "installed":
        raise CommandError(f"{DRIVER} is not installed")
    run_as_root("apt-get", "remove", "--yes", DRIVER)
    left = "; the loaded module goes with the next restart" if MODULE.is_dir() else ""
    note(f"{DRIVER} is removed{left}")


def _found() -> str:
    """What can be seen of the driver now, and what to do next."""
    nodes = sorted(path.name for path in DEVICES.glob(_NODES))
    if nodes:
        return f"the driver works: {', '.join(nodes)}; `camfleet doctor` shows the runtime"
    if MODULE.is_dir():
        return "the driver is loaded and finds no card; is it in its slot? `lspci` must list it"
    return "the packages are installed; restart the machine to load the driver, then run doctor"


def _package_name(path: Path) -> str:
    if not path.is_file():
        raise CommandError(f"{path} does not exist")
    field = run_program("dpkg-deb", "--field", str(path), "Package")
    if field.returncode:
        raise CommandError(f"{path} is not a Debian package; download it again")
    return field.stdout.strip()
