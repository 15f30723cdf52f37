"""Fixtures every part uses."""

import os
from pathlib import Path

import pytest
import structlog  # noqa: TID251 - sets up what services set up by configure_logs

# One module of fixtures a part, under names of their own, so that mypy reads all tests in one run.
pytest_plugins = [
    *("fixtures_capture", "fixtures_cli", "fixtures_containers", "fixtures_interop"),
    *("fixtures_page", "fixtures_pets", "fixtures_pulls"),
]

# What is logged before a service configures it: a traceback with every local takes seconds.
structlog.configure(
    processors=[
        *structlog.get_config()["processors"][:-1],
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
    ]
)

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real models, clips and expected answers; skips by name where it is absent."""
    folder = Path(os.environ.get("CAMFLEET_DATA", ROOT.parent / "shared" / "data"))  # noqa: TID251
    if not (folder / "INDEX.json").is_file():
        pytest.skip(f"shared test data not found at {folder}; set CAMFLEET_DATA")
    return folder


@pytest.fixture(scope="session")
def repository() -> Path:
    return ROOT
