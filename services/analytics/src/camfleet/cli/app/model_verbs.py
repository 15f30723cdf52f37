"""The verbs of `camfleet app models`."""

# ruff: noqa: PLC0415 - commands import what they need, so that --help answers at once

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="The models that the application's file names.")

Folder = Annotated[Path, typer.Option("--app", help="The application's folder.", metavar="DIR")]
Json = Annotated[bool, typer.Option("--json", help="For scripts.")]
_HERE = Path()


@app.command()
def add(
    model_id: Annotated[str, typer.Argument(metavar="ID", help="user/name or name.")],
    version: Annotated[int | None, typer.Option(min=1, help="Default: the newest.")] = None,
    folder: Folder = _HERE,
) -> None:
    """Bring a model here and write it into the application's file.

    \b
    Examples:
      camfleet app models add yunet-n
      camfleet app models add alwaysai/mobilenet_ssd
    """
    from camfleet.apps.application import read_application
    from camfleet.cli.app import models

    models.add(read_application(folder), model_id, version)


@app.command()
def remove(model_id: Annotated[str, typer.Argument(metavar="ID")], folder: Folder = _HERE) -> None:
    """Take a model out of the application's file, and its files out of var/models.

    \b
    Example:
      camfleet app models remove yunet-n
    """
    from camfleet.apps.application import read_application
    from camfleet.cli.app import models

    models.remove(read_application(folder), model_id)


@app.command()
def show(as_json: Json = False, folder: Folder = _HERE) -> None:
    """Show the models that the file names, and which versions are here.

    \b
    Examples:
      camfleet app models show
      camfleet app models show --json
    """
    from camfleet.apps.application import read_application
    from camfleet.cli.app import models

    models.show(read_application(folder), as_json=as_json)


@app.command()
def sync(folder: Folder = _HERE) -> None:
    """Bring every model that the file names here, in the version it names.

    \b
    Example:
      camfleet app models sync
    """
    from camfleet.apps.application import read_application
    from camfleet.cli.app import models
    from camfleet.cli.app.folders import volume_of

    application = read_application(folder)
    models.bring_all(application, volume_of(application))


@app.command()
def search(
    word: Annotated[str, typer.Argument(help="Part of a name, purpose or description.")] = "",
    as_json: Json = False,
) -> None:
    """Find models that can be added; all of them without a word.

    \b
    Example:
      camfleet app models search pose
    """
    from camfleet.cli.model_listing import print_catalog
    from camfleet.cli.settings import command_settings

    print_catalog(command_settings(), word, as_json=as_json)
