"""The `camfleet` command."""

import sys

INTERRUPTED = 130  # as shells count it: 128 and the number of SIGINT


def main() -> None:
    """Run it. Its modules are loaded here, so that Ctrl-C ends it quietly from the beginning."""
    try:
        from camfleet.cli.application import run  # noqa: PLC0415 - takes long

        run()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
