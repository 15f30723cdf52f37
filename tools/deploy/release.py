"""The version number, which packages, images, balena.yml and CHANGELOG.md have to agree on.

release.py          names what disagrees (part of `make check`)
release.py 0.2.0    writes the number everywhere; what changed since the last release goes under it
"""

import re
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
PLACES = {  # files, and what stands before the number in them
    "pyproject.toml": '^version = "',
    "*/pyproject.toml": '^version = "',
    "services/*/pyproject.toml": '^version = "',
    "services/*/Dockerfile*": "^ARG VERSION=",
    "balena.yml": "^version: ",
    "CHANGELOG.md": r"^## \[(?=\d)",
}
NUMBER = r"\d+\.\d+\.\d+"
UNRELEASED = "## [Unreleased]\n"


class Place(NamedTuple):
    """A file, and the number that stands in it."""

    path: Path
    version: str


class CannotRelease(Exception):
    """The number or the changelog cannot be used; the text says why."""


def places(root: Path) -> list[Place]:
    """Every place of the number; of the changelog, that of the newest release."""
    return [
        Place(path, found[1])
        for files, before in PLACES.items()
        for path in sorted(root.glob(files))
        if (found := re.search(f"{before}({NUMBER})", path.read_text(), re.MULTILINE))
    ]


def disagreements(root: Path) -> list[str]:
    """One sentence for each place with another number than the workspace has."""
    workspace, *others = places(root)
    return [
        f"{place.path.relative_to(root)}: version {place.version}, but pyproject.toml has"
        f" {workspace.version}; `make release VERSION=...` writes it everywhere"
        for place in others
        if place.version != workspace.version
    ]


def release(root: Path, version: str, day: date) -> None:
    """Write the number everywhere; the changes since the last release become its own.

    Raises:
        CannotRelease: this is no newer version, or nothing changed.
    """
    newest = places(root)[0].version
    if not re.fullmatch(NUMBER, version) or _order(version) <= _order(newest):
        raise CannotRelease(f"version {version!r}: give one after {newest}, such as 0.2.0")
    changelog = root / "CHANGELOG.md"
    _, _, later = changelog.read_text().partition(UNRELEASED)
    if not later.partition("\n## [")[0].strip():
        raise CannotRelease("CHANGELOG.md has nothing under Unreleased")
    heading = f"{UNRELEASED}\n## [{version}] - {day.isoformat()}\n"
    changelog.write_text(changelog.read_text().replace(UNRELEASED, heading, 1))
    for files, before in PLACES.items():
        for path in root.glob(files):
            number = re.compile(f"({before}){NUMBER}", re.MULTILINE)
            path.write_text(number.sub(rf"\g<1>{version}", path.read_text(), count=1))


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def main(arguments: list[str]) -> int:
    """Check or write; 1 when something is wrong."""
    try:
        if arguments:
            release(ROOT, arguments[0], datetime.now(UTC).date())
    except CannotRelease as error:
        sys.stderr.write(f"release: {error}\n")
        return 1
    found = disagreements(ROOT)
    sys.stderr.writelines(f"{line}\n" for line in found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
