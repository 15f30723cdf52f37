"""What can go wrong with recorded results.

CamfleetError
└── ReplayError
    ├── NoMoreResults    all were given
    └── BadAnnotations   a file of annotations is not as its format asks
"""

from camfleet.errors import CamfleetError


class ReplayError(CamfleetError):
    """Base; the text says which, what, and what next."""


class NoMoreResults(ReplayError):
    """All recorded results were given."""

    def __init__(self, name: str, count: int) -> None:
        super().__init__(f"{name}: no more results after {count}")


class BadAnnotations(ReplayError, ValueError):
    """A file of annotations is not as its format asks."""
