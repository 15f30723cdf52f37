"""`camfleet key`: the named keys of the fleet."""

# ruff: noqa: PLC0415 - commands import what they need, so that --help answers at once

from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from camfleet_contracts.keys import KeyStore

app = typer.Typer(no_args_is_help=True, help="Keys that clients, cameras and people present.")


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="Who will use it, e.g. grafana.")],
    role: Annotated[
        Literal["admin", "viewer", "service"], typer.Option(help="What it allows.")
    ] = "viewer",
    as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,
) -> None:
    """Make a key and print it once; only its hash is kept.

    \b
    Example:
      camfleet key add grafana --role viewer
    """
    from camfleet.cli.console import note, out, print_json
    from camfleet.cli.errors import CommandError

    try:
        plain = _store(is_for_use=True).add(name, role)
    except ValueError as error:
        raise CommandError(str(error)) from error
    if as_json:
        print_json({"name": name, "role": role, "key": plain})
        return
    out.print(plain, markup=False)
    note(f"key '{name}' ({role}); it is not shown again. Use: Authorization: Bearer <key>")


@app.command("list")
def list_keys(
    as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,
) -> None:
    """Show names, roles and dates; the keys themselves are not kept.

    \b
    Example:
      camfleet key list
    """
    from camfleet.cli.console import note, out, print_json, table

    keys = _store().list()
    if as_json:
        print_json([key._asdict() for key in keys])
        return
    if not keys:
        note("no keys yet; `camfleet key add NAME` makes one. People log in with `camfleet url`")
        return
    shown = table("name", "role", "created")
    for key in keys:
        shown.add_row(key.name, key.role, key.created)
    out.print(shown)


@app.command()
def revoke(name: Annotated[str, typer.Argument(help="The key's name.")]) -> None:
    """End a key and the sessions made with it.

    \b
    Example:
      camfleet key revoke grafana
    """
    from camfleet.cli.console import note
    from camfleet.cli.errors import CommandError

    try:
        _store().revoke(name)
    except KeyError as error:
        line = f"key '{name}' does not exist; `camfleet key list` shows those that do"
        raise CommandError(line) from error
    note(f"key '{name}' is revoked")


def _store(*, is_for_use: bool = False) -> "KeyStore":
    from camfleet.cli.links import check_own_page, key_store
    from camfleet.cli.settings import fleet_settings

    settings = fleet_settings()
    if is_for_use:
        check_own_page(settings)
    return key_store(settings)
