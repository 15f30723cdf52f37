"""`camfleet app install`: models, Debian packages and Python packages of an application."""

import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

from camfleet.apps.application import Application
from camfleet.cli.app.folders import python_folder, volume_of
from camfleet.cli.app.models import bring_all
from camfleet.cli.console import err, note
from camfleet.cli.errors import CommandError
from camfleet.cli.root_commands import last_line, run_as_root, run_program

_FOREIGN = ("opencv", "tensorflow")


def install(application: Application, *, clean: bool) -> None:
    """Bring all an application needs here.

    Args:
        application: what to install for.
        clean: begin anew: the application's own models and Python packages are deleted first.

    Raises:
        CommandError: something cannot be had.
        CatalogError: the same, of a model.
    """
    volume = volume_of(application)
    if clean:
        folders = [python_folder(application)]
        folders += [volume.settings.models_dir] if volume.is_own else []
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
    bring_all(application, volume)
    _install_debian(_listed(application.folder / "packages.txt"))
    _install_python(application)
    note(f"{application.name} is installed; `camfleet app start` runs it")


def _listed(path: Path) -> list[str]:
    """What a file lists, one a line, without comments; nothing where there is none."""
    lines = path.read_text().splitlines() if path.is_file() else []
    return [word for line in lines for word in line.partition("#")[0].split()]


def _install_debian(packages: list[str]) -> None:
    missing = [name for name in packages if not _is_installed(name)]
    if missing:
        note(f"installing from Debian: {' '.join(missing)}")
        run_as_root("apt-get", "install", "--yes", "--no-install-recommends", *missing)


def _is_installed(package: str) -> bool:
    status = run_program("dpkg-query", "--show", "--showformat=${db:Status-Status}", package)
    return status.stdout.strip() == "installed"


def _install_python(application: Application) -> None:
    requirements = application.folder / "requirements.txt"
    wanted = _listed(requirements)
    if not wanted:
        return
    folder = python_folder(application)
    if not (folder / "bin" / "python").exists():
        _make_environment(folder)
    with err.status(f"installing {requirements.name} into {folder}"):
        pip = [
            sys.executable,
            "-m",
            "pip",
            "--disable-pip-version-check",
            "--python",
            str(folder / "bin" / "python"),
        ]
        command = [*pip, "install", "--requirement", str(requirements)]
        done = subprocess.run(
            command, cwd=application.folder, capture_output=True, text=True, check=False
        )
    if done.returncode:
        raise CommandError(f"{requirements}: pip failed: {last_line(done.stderr)}")
    note(f"{requirements.name} installed into {folder}")
    for name in _foreign(folder):
        note(
            f"{name} in {folder} hides what camfleet was made with; take it, or what asks for it, "
            f"out of {requirements.name}: camfleet brings OpenCV, and needs no TensorFlow"
        )


def _make_environment(folder: Path) -> None:
    """A virtual environment that also sees the packages camfleet itself runs with."""
    done = subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise CommandError(f"{folder} cannot be made: {last_line(done.stdout + done.stderr)}")
    ours = sysconfig.get_path("purelib")
    theirs = next((folder / "lib").glob("python*/site-packages"))
    # `addsitedir` reads .pth files there too, which packages that are being edited need.
    (theirs / "camfleet.pth").write_text(f"import site; site.addsitedir({ours!r})\n")


def _foreign(folder: Path) -> Iterable[str]:
    """Packages in the environment that camfleet's own must not be replaced by."""
    found = (folder / "lib").glob("python*/site-packages/*.dist-info")
    names = {path.name.partition("-")[0].replace("_", "-").lower() for path in found}
    return sorted(name for name in names if name.startswith(_FOREIGN))
