"""Fixtures of the capture tests."""

from pathlib import Path

import pytest

from fakes_capture import write_clip


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One second, no B pictures."""
    return write_clip(tmp_path_factory.mktemp("clips") / "plain.mp4")


@pytest.fixture(scope="session")
def b_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One second with two B pictures between the others."""
    return write_clip(tmp_path_factory.mktemp("clips") / "b-pictures.mp4", b_frames=2)
