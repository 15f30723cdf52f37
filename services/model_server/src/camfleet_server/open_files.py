"""How many files and connections this process may have open at once."""

import resource
import sys
from contextlib import suppress


def allow_most_open_files() -> None:
    """Raise the soft limit, often 1024 for the sake of old programs, to the hard one."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    with suppress(ValueError, OSError):  # some systems allow less than they say; 1024 will do
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def most_open_files() -> int:
    """Return the soft limit."""
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return sys.maxsize if soft == resource.RLIM_INFINITY else soft
