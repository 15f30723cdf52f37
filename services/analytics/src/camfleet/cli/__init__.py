"""The `camfleet` command."""

from camfleet.cli.application import main

__all__ = ["main"]
