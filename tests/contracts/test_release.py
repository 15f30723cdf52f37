"""The version number: one for packages, images, balena.yml and the changelog."""

import shutil
from datetime import date
from pathlib import Path

import pytest

from release import CannotRelease, disagreements, places, release

DAY = date(2026, 12, 24)


@pytest.fixture
def copy(repository: Path, tmp_path: Path) -> Path:
    """The files of the repository that name its version, with a change since the last release."""
    for place in places(repository):
        copied = tmp_path / place.path.relative_to(repository)
        copied.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(place.path, copied)
    changelog = tmp_path / "CHANGELOG.md"
    changelog.write_text("## [Unreleased]\n\n- Faster.\n\n## [0.0.9] - 2026-01-01\n\n- Begun.\n")
    return tmp_path


def test_every_place_of_the_repository_has_the_same_version(repository: Path) -> None:
    assert disagreements(repository) == []


def test_packages_images_and_balena_name_the_version(repository: Path) -> None:
    named = {str(place.path.relative_to(repository)) for place in places(repository)}

    assert named >= {
        "proto/pyproject.toml",
        "services/capture/pyproject.toml",
        "services/model_server/Dockerfile.cuda",
        "balena.yml",
        "CHANGELOG.md",
    }


def test_a_release_writes_the_number_everywhere(copy: Path) -> None:
    release(copy, "7.0.0", DAY)

    assert {place.version for place in places(copy)} == {"7.0.0"}
    assert disagreements(copy) == []


def test_a_release_takes_the_changes_since_the_last_one(copy: Path) -> None:
    release(copy, "7.0.0", DAY)

    assert (copy / "CHANGELOG.md").read_text() == (
        "## [Unreleased]\n\n## [7.0.0] - 2026-12-24\n\n- Faster.\n\n"
        "## [0.0.9] - 2026-01-01\n\n- Begun.\n"
    )


def test_a_place_that_was_forgotten_is_named(copy: Path) -> None:
    release(copy, "7.0.0", DAY)
    (copy / "balena.yml").write_text("version: 6.9.9\n")

    [fault] = disagreements(copy)

    assert fault.startswith("balena.yml: version 6.9.9, but pyproject.toml has 7.0.0")


@pytest.mark.parametrize("version", ["0.0.1", "7.0", "v7.0.0", "next"])
def test_what_is_no_newer_version_is_refused_and_nothing_is_written(
    copy: Path, version: str
) -> None:
    before = places(copy)

    with pytest.raises(CannotRelease, match="give one after"):
        release(copy, version, DAY)

    assert places(copy) == before


def test_a_release_without_changes_is_refused(copy: Path) -> None:
    release(copy, "7.0.0", DAY)

    with pytest.raises(CannotRelease, match="nothing under Unreleased"):
        release(copy, "7.0.1", DAY)
