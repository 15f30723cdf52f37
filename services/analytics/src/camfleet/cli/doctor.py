"""`camfleet doctor`: what works here and what does not."""

# ruff: noqa: PLC0415 - commands import what they need, so that --help answers at once

from typing import Annotated

import typer


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,
    capacity: Annotated[
        bool, typer.Option("--capacity", help="Measure how many cameras this box carries.")
    ] = False,
    model: Annotated[
        str, typer.Option(help="With --capacity: this model, not that of the first camera.")
    ] = "",
) -> None:
    """Check this machine and the fleet; exit code 1 when something must be mended.

    Python and packages, exactly one OpenCV and no TensorFlow, the runtimes with
    their devices and the formats they read, H.264 in PyAV, cameras, ports, the
    model volume, the model server and its models. With --capacity it measures
    instead, for half a minute, what 720p15 and 1080p15 cameras cost here and how
    many of them this box carries; the fleet must run.

    \b
    Examples:
      camfleet doctor
      camfleet doctor --json | jq '.[] | select(.verdict != "ok")'
      camfleet doctor --capacity --model fastestdet-coco
    """
    from camfleet.cli.settings import command_settings

    if capacity:
        from camfleet.cli.capacity.report import print_capacity

        print_capacity(command_settings(), model=model or None, as_json=as_json)
        return
    from camfleet.cli.checks.run import run_checks

    if not run_checks(command_settings(), as_json=as_json):
        raise typer.Exit(1)
