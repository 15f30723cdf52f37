"""For pytest: the fixture `golden` and its option; name this module in conftest.py."""

from pathlib import Path

import pytest

from camfleet.testing.golden import Golden


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --update-golden."""
    parser.addoption(
        "--update-golden", action="store_true", help="write golden results, compare nothing"
    )


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """Golden results in the folder `golden` beside the test; pytest --update-golden writes them."""
    folder = Path(request.path).parent / "golden"
    return Golden(folder, update=bool(request.config.getoption("--update-golden")))
