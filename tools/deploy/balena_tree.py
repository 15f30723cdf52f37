"""`make balena TARGET=usb`: the repository as `balena push` takes it, with overlays merged in.

balena reads one file, docker-compose.yml at the root, so an overlay has to become part of it. The
tree is written to var/balena-<target>/ anew each time.
"""

import shutil
import sys
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from compose_merge import merged, read_compose
from compose_rules import violations

ROOT = Path(__file__).resolve().parents[2]
# Overlays for balena go before those for Docker of the same name.
OVERLAYS = ("compose/balena/{}.yml", "compose/{}.yml")
BUILT_FROM = (
    ".dockerignore",
    "balena.yml",
    "compose",
    "models",
    "notebooks",
    "proto",
    "requirements",
    "services",
    "tools",
    "vendor",  # what vendors do not let us pass on, put there by hand
)
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.egg-info", ".ipynb_checkpoints", "*.pyc")


class BadTarget(Exception):
    """There is no overlay of this name, or balena would refuse the result."""


def targets() -> list[str]:
    """Names of overlays that balena can use: those whose merged file keeps its rules."""
    names = {path.stem for path in (ROOT / "compose").glob("**/*.yml") if _is_overlay(path)}
    return sorted(name for name in names if not violations(compose_for([name])))


def compose_for(names: list[str]) -> dict[str, Any]:
    """Return docker-compose.yml with these overlays merged in.

    Raises:
        BadTarget: there is no such overlay.
    """
    document = read_compose(ROOT / "docker-compose.yml")
    for name in names:
        document = merged(document, read_compose(overlay_of(name)))
    return document


def write_compose(names: list[str], path: Path) -> None:
    """Write docker-compose.yml with these overlays merged in to `path`.

    Raises:
        BadTarget: a name is wrong, or balena would refuse the result; nothing is written.
    """
    document = compose_for(names)
    if faults := violations(document):
        ways = f"balena can use {', '.join(targets())}"
        raise BadTarget("\n".join([f"balena would refuse {'+'.join(names)}; {ways}", *faults]))
    writer = YAML()
    writer.width = 120
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        file.write(f"# docker-compose.yml with {', '.join(names)}; made by `make balena`.\n")
        writer.dump(document, file)


def overlay_of(name: str) -> Path:
    """Return the file of an overlay.

    Raises:
        BadTarget: there is none of this name.
    """
    for pattern in OVERLAYS:
        path = ROOT / pattern.format(name)
        if path.is_file() and _is_overlay(path):
            return path
    raise BadTarget(f"no overlay {name!r}; balena can use {', '.join(targets())}")


def write_tree(names: list[str], folder: Path) -> None:
    """Write the tree to `folder`, which is emptied first.

    Raises:
        BadTarget: a name is wrong, or balena would refuse the result.
    """
    shutil.rmtree(folder, ignore_errors=True)
    write_compose(names, folder / "docker-compose.yml")
    for name in BUILT_FROM:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=_LEFT_OUT)
        elif source.is_file():
            shutil.copy2(source, folder / name)


def main() -> int:
    """Write the tree of the targets named on the command line, by commas."""
    names = [name for word in sys.argv[1:] for name in word.split(",") if name]
    if not names:
        sys.stderr.write(f"usage: make balena TARGET=<{'|'.join(targets())}>, several by commas\n")
        return 2
    folder = ROOT / "var" / f"balena-{'-'.join(names)}"
    try:
        write_tree(names, folder)
    except BadTarget as error:
        sys.stderr.write(f"balena: {error}\n")
        return 1
    sys.stdout.write(f"written to {folder.relative_to(ROOT)}; next:\n")
    sys.stdout.write(f"  balena push <fleet> --source {folder.relative_to(ROOT)}\n")
    return 0


def _is_overlay(path: Path) -> bool:
    return "services" in (read_compose(path) or {})


if __name__ == "__main__":
    sys.exit(main())
