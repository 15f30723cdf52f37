"""Programs of the system, run as root by sudo where there is one."""

import os
import shutil
import subprocess

from camfleet.cli.errors import CommandError


def run_as_root(*command: str) -> None:
    """Run it and wait.

    Raises:
        CommandError: there is no sudo (the command is named, for somebody who is root), or it
            failed, with its last line.
    """
    sudo = [] if os.geteuid() == 0 else ["sudo"]
    if sudo and shutil.which("sudo") is None:
        raise CommandError(f"as root run: {' '.join(command)}")
    done = run_program(*sudo, *command)
    if done.returncode:
        raise CommandError(f"{' '.join(command[:2])} failed: {last_line(done.stderr)}")


def run_program(*command: str) -> "subprocess.CompletedProcess[str]":
    """Run a program of Debian or Ubuntu and return what it said.

    Raises:
        CommandError: it is not there.
    """
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise CommandError(f"{command[0]} is not there; this needs Debian or Ubuntu") from error


def last_line(said: str) -> str:
    """The last line of what a program said, which has the reason more often than not."""
    return (said.strip().splitlines() or ["it said nothing"])[-1]
