"""An environment for notebooks on their volume: what users install survives a new image.

It is a virtual environment over the packages of this one. What they share must not be replaced
below the fleet's feet: constraints hold numpy, protobuf and OpenCV where they are, and stand-ins
say that the other distributions of OpenCV are there (the one that is has all of their modules).
"""

import json
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distributions, version
from pathlib import Path

from camfleet_contracts.files import write_atomically

FOLDER, SPECS, CONSTRAINTS = ".kernels", "specs", "constraints.txt"
HELD = ("numpy", "protobuf", "opencv-contrib-python-headless")
OPENCV = "opencv-contrib-python-headless"
STOOD_FOR = ("opencv-python", "opencv-python-headless", "opencv-contrib-python")
INSTALLER = "camfleet"  # of stand-ins, so that the doctor does not take them for a second OpenCV
_LINK = "camfleet-below.pth"
_PIP = "#!{python}\nimport sys\nfrom pip._internal.cli.main import main\nsys.exit(main())\n"
_PROGRAMS = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_SETUP_LIMIT_S = 120.0


@dataclass(frozen=True, slots=True)
class KernelEnvironment:
    """One environment and the kernel that runs in it."""

    notebooks: Path
    name: str

    @property
    def folder(self) -> Path:
        """The virtual environment."""
        return self.notebooks.absolute() / FOLDER / self.name

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"

    @property
    def packages(self) -> Path:
        """Where what users install lies."""
        number = f"python{sys.version_info[0]}.{sys.version_info[1]}"
        return self.folder / "lib" / number / "site-packages"

    @property
    def spec(self) -> Path:
        """The kernel's description."""
        return self.folder.parent / SPECS / self.name / "kernel.json"

    @property
    def constraints(self) -> Path:
        """What pip must leave as it is."""
        return self.folder.parent / CONSTRAINTS

    def installed(self) -> list[str]:
        """What users installed, as name==version."""
        found = distributions(path=[str(self.packages)])
        names = {f"{one.metadata['Name']}=={one.version}" for one in found if not is_stand_in(one)}
        return sorted(names, key=str.casefold)


def ensure_environment(notebooks: Path, name: str = "python3", title: str = "") -> str:
    """Make the environment, or bring it up to this image; returns what users should know.

    One of another Python is put aside with the list of its packages.

    Raises:
        subprocess.SubprocessError: it cannot be made; OSError: the volume cannot be written.
    """
    kernel = KernelEnvironment(notebooks, name)
    told = ""
    if kernel.folder.exists() and not kernel.packages.is_dir():
        told = _put_aside(kernel)
    if not kernel.python.exists():
        make = [sys.executable, "-m", "venv", "--system-site-packages", "--without-pip"]
        subprocess.run([*make, str(kernel.folder)], check=True, timeout=_SETUP_LIMIT_S)
    _link_below(kernel)
    _stand_in(kernel)
    _write_constraints(kernel)
    _write_spec(kernel, title or "Python 3 (camfleet)")
    return told


def installed_environments(notebooks: Path) -> list[KernelEnvironment]:
    """Those that are there, by name."""
    folder = notebooks.absolute() / FOLDER / SPECS
    names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    return [KernelEnvironment(notebooks, name) for name in names]


def remove_environment(kernel: KernelEnvironment) -> None:
    """Delete an environment and its kernel."""
    shutil.rmtree(kernel.spec.parent, ignore_errors=True)
    shutil.rmtree(kernel.folder, ignore_errors=True)


def is_stand_in(distribution: Distribution) -> bool:
    """Whether a distribution only says that it is there."""
    return (distribution.read_text("INSTALLER") or "").strip() == INSTALLER


def _put_aside(kernel: KernelEnvironment) -> str:
    listed = distributions(path=[str(path) for path in kernel.folder.glob("lib/*/site-packages")])
    names = sorted(
        f"{one.metadata['Name']}=={one.version}" for one in listed if not is_stand_in(one)
    )
    taken = 1
    while (aside := kernel.folder.with_name(f"{kernel.name}.old-{taken}")).exists():
        taken += 1
    kernel.folder.rename(aside)
    write_atomically(aside / "packages.txt", "\n".join([*names, ""]))
    return (
        f"kernel {kernel.name} was made by another Python and is put aside; install its packages "
        f"again with: pip install -r {aside / 'packages.txt'}"
    )


def _link_below(kernel: KernelEnvironment) -> None:
    """Let it see this environment's packages, also where this one is a virtual environment."""
    below = sysconfig.get_path("purelib")
    write_atomically(kernel.packages / _LINK, f"import site; site.addsitedir({below!r})\n")
    for script in ("pip", "pip3"):
        text = _PIP.format(python=kernel.python)
        write_atomically(kernel.folder / "bin" / script, text, mode=0o755)


def _stand_in(kernel: KernelEnvironment) -> None:
    try:
        number = version(OPENCV)
    except PackageNotFoundError:
        return
    for name in STOOD_FOR:
        stem = name.replace("-", "_")
        for old in kernel.packages.glob(f"{stem}-*.dist-info"):
            if (old / "INSTALLER").is_file() and (old / "INSTALLER").read_text() == INSTALLER:
                shutil.rmtree(old)
        folder = kernel.packages / f"{stem}-{number}.dist-info"
        summary = f"Stands for {OPENCV}, which has all of its modules"
        text = f"Metadata-Version: 2.1\nName: {name}\nVersion: {number}\nSummary: {summary}\n"
        write_atomically(folder / "METADATA", text)
        write_atomically(folder / "INSTALLER", INSTALLER)
        own = "".join(f"{folder.name}/{file},,\n" for file in ("METADATA", "INSTALLER", "RECORD"))
        write_atomically(folder / "RECORD", own)


def _write_constraints(kernel: KernelEnvironment) -> None:
    held = {}
    for name in HELD:
        try:
            held[name] = version(name)
        except PackageNotFoundError:
            continue
    if OPENCV in held:
        held |= dict.fromkeys(STOOD_FOR, held[OPENCV])
    lines = [f"{name}=={number}" for name, number in sorted(held.items())]
    write_atomically(kernel.constraints, "\n".join([*lines, ""]))


def _write_spec(kernel: KernelEnvironment, title: str) -> None:
    path = f"{kernel.folder / 'bin'}:{Path(sys.executable).parent}:{_PROGRAMS}"
    document = {
        "argv": [
            str(kernel.python),
            "-m",
            "ipykernel_launcher",
            "-f",
            "{connection_file}",
            "--ext=camfleet_workbench.kernels.greeting",
        ],
        "display_name": title,
        "language": "python",
        "metadata": {"debugger": True},
        "env": {
            "PATH": path,
            "PIP_CONSTRAINT": str(kernel.constraints),
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "VIRTUAL_ENV": str(kernel.folder),
        },
    }
    write_atomically(kernel.spec, json.dumps(document, indent=2) + "\n")
