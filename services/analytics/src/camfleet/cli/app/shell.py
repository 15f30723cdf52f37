"""`camfleet app shell`: a shell in the surroundings of the application's scripts."""

import subprocess

from camfleet.apps.application import Application
from camfleet.cli.app.surroundings import surroundings
from camfleet.cli.console import note


def open_shell(application: Application) -> int:
    """Open $SHELL in the application's folder; its exit code."""
    environment = surroundings(application)
    note(f"a shell for {application.name}; leave it with exit")
    shell = environment.get("SHELL", "/bin/sh")
    return subprocess.run([shell], cwd=application.folder, env=environment, check=False).returncode
