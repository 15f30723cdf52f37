"""`camfleet doctor`: what works here and what does not."""

# ruff: noqa: PLC0415 - commands import what they need, so that --help answers at once
# ruff: noqa: D301 - click keeps the lines of a paragraph that begins with \b

from typing import Annotated

import typer


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,
) -> None:
    """Check this machine and the fleet; exit code 1 when something must be mended.

    Python and packages, exactly one OpenCV and no TensorFlow, the runtimes with their
    devices and the formats they read, H.264 in PyAV, cameras, ports, the model volume, the model
    server and its models.

    \b
    Examples:
      camfleet doctor
      camfleet doctor --json | jq '.[] | select(.verdict != "ok")'
    """
    from camfleet.cli.checks.run import run_checks
    from camfleet.cli.settings import command_settings

    if not run_checks(command_settings(), as_json=as_json):
        raise typer.Exit(1)
