"""`make setup` with a program in the place of Python that makes environments without packages."""

import shutil
import subprocess
from pathlib import Path

import pytest

PYTHON = """#!/bin/sh
case "$*" in
  *version_info*) echo VERSION ;;
  *_base_executable*) echo "$0" ;;
  *"import pip"*) [ -e .venv/bin/pip ] ;;
  *"-m venv --clear"*)
    rm -rf .venv; mkdir -p .venv/bin .venv/lib/pythonVERSION
    printf '#!/bin/sh\\n' > .venv/bin/uv; chmod +x .venv/bin/uv
    cp "$0" .venv/bin/python; echo "#!$PWD/.venv/bin/python" > .venv/bin/pip
    echo made ;;
esac
"""


@pytest.fixture
def checkout(tmp_path: Path, repository: Path) -> Path:
    folder = tmp_path / "checkout"
    for name in ("tools/setup.sh", "requirements/dev.txt", "proto/pyproject.toml"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(repository / name, folder / name)
    (folder / "services" / "capture").mkdir(parents=True)
    (folder / "services" / "capture" / "pyproject.toml").write_text("")
    return folder


def set_up(checkout: Path, version: str = "3.11") -> str:
    python = checkout.parent / f"python{version}"
    python.write_text(PYTHON.replace("VERSION", version))
    python.chmod(0o755)
    command = [str(checkout / "tools" / "setup.sh"), str(python)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_a_second_time_there_is_nothing_to_do(checkout: Path) -> None:
    assert set_up(checkout).endswith("made\nsetup: done\n")
    assert not set_up(checkout)


def test_an_environment_is_kept_when_only_the_packages_changed(checkout: Path) -> None:
    set_up(checkout)
    (checkout / "requirements" / "dev.txt").write_text("other\n")
    assert "made" not in set_up(checkout)


def test_an_environment_whose_making_was_cut_is_made_anew(checkout: Path) -> None:
    set_up(checkout)
    (checkout / ".venv" / "bin" / "pip").unlink()
    (checkout / ".venv" / ".camfleet-setup").unlink()
    assert "made" in set_up(checkout)


def test_an_environment_is_made_anew_where_the_checkout_was_moved_to(checkout: Path) -> None:
    set_up(checkout)
    assert "made" in set_up(checkout.rename(checkout.with_name("elsewhere")))


def test_another_python_gets_an_environment_of_its_own(checkout: Path) -> None:
    set_up(checkout)
    assert "made" in set_up(checkout, "3.12")


def test_an_old_python_is_named_with_what_is_needed(checkout: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError) as caught:
        set_up(checkout, "3.9")
    assert "is 3.9; camfleet needs 3.11 or 3.12" in caught.value.stderr
