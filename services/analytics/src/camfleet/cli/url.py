"""`camfleet url`: a login link that works once."""

# ruff: noqa: PLC0415 - commands import what they need, so that --help answers at once

from typing import Annotated, Literal

import typer


def url(
    jupyter: Annotated[bool, typer.Option("--jupyter", help="Link to JupyterLab instead.")] = False,
    role: Annotated[
        Literal["admin", "viewer"], typer.Option(help="What the link allows.")
    ] = "admin",
    minutes: Annotated[float, typer.Option(help="How long it is good for.", min=0.1)] = 15,
    as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,
) -> None:
    """Print a new login link for the page; it works once and expires.

    \b
    Examples:
      camfleet url
      camfleet url --jupyter
      camfleet url --role viewer --minutes 60
    """
    from camfleet.cli.console import note, out, print_json
    from camfleet.cli.links import check_own_page, is_silent, login_link
    from camfleet.cli.settings import fleet_settings

    settings = fleet_settings()
    check_own_page(settings)
    link = login_link(settings, jupyter=jupyter, role=role, lifetime_s=minutes * 60)
    if as_json:
        print_json({"url": link, "role": role, "expires_in_s": minutes * 60})
    else:
        out.print(link, markup=False)
    if is_silent(settings, jupyter=jupyter):
        note("nobody listens there now; `camfleet up` starts the fleet, in the folder of its var/")
