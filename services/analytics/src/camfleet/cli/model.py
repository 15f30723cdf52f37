"""`camfleet model`: what is on the volume, what is served, what can be pulled."""

# ruff: noqa: PLC0415 - commands import what they need, so that --help answers at once

from pathlib import Path
from typing import Annotated

import typer

from camfleet.cli import model_packages

app = typer.Typer(no_args_is_help=True, help="Models of the volume and of config.json.")
app.command("configure", cls=model_packages.CONFIGURE_CLASS)(model_packages.configure)
app.command("publish")(model_packages.publish)
app.command("benchmark")(model_packages.benchmark)
app.command("sync")(model_packages.sync)

_ADDRESSES = "Addresses"
Json = Annotated[bool, typer.Option("--json", help="For scripts.")]


@app.command("list")
def list_models(as_json: Json = False) -> None:
    """Show the volume's models and the state the server has them in.

    \b
    Examples:
      camfleet model list
      camfleet model list --json | jq '.models[] | select(.served)'
    """
    from camfleet.cli.model_listing import print_models
    from camfleet.cli.settings import command_settings

    print_models(command_settings(), as_json=as_json)


@app.command()
def search(
    word: Annotated[str, typer.Argument(help="Part of a name, purpose or description.")] = "",
    as_json: Json = False,
) -> None:
    """Find models that can be pulled; all of them without a word.

    \b
    Examples:
      camfleet model search face
      camfleet model search alwaysai/mobilenet_ssd
    """
    from camfleet.cli.model_listing import print_catalog
    from camfleet.cli.settings import command_settings

    print_catalog(command_settings(), word, as_json=as_json)


@app.command()
def pull(
    models: Annotated[
        list[str],
        typer.Argument(
            help="Names, ids such as alwaysai/mobilenet_ssd, or the addresses of one model's files."
        ),
    ],
    serve: Annotated[bool, typer.Option(help="Add it to config.json.")] = True,
    sha256: Annotated[
        list[str] | None,
        typer.Option(help="Of each address, in their order.", rich_help_panel=_ADDRESSES),
    ] = None,
    model_id: Annotated[
        str | None,
        typer.Option(
            "--id", help="user/name. Default the first file's name.", rich_help_panel=_ADDRESSES
        ),
    ] = None,
    manifest: Annotated[
        Path | None,
        typer.Option(help="A model.json to publish with it.", rich_help_panel=_ADDRESSES),
    ] = None,
) -> None:
    """Download, check sha256, publish as a new version and serve.

    CAMFLEET_MIRROR=<folder or URL with an INDEX.json> takes files from there. An
    address without --sha256 is pinned on first pull: a later pull must give the
    same.

    \b
    Examples:
      camfleet model pull fastestdet-coco
      camfleet model pull yunet-n movenet-lightning --no-serve
      CAMFLEET_MIRROR=/media/usb/models camfleet model pull fastestdet-coco
      camfleet model pull https://host/pets.onnx --sha256 e8af074932d4ed7e2322...
      camfleet model pull https://host/net.xml https://host/net.bin    one model
      camfleet model pull https://host/pets.onnx --manifest model.json
    """
    from camfleet.cli.packages.from_addresses import PullOptions, pull
    from camfleet.cli.settings import command_settings

    pull(command_settings(), models, PullOptions(sha256 or (), model_id, manifest, serve))


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="The name it is served under.")],
    path: Annotated[
        Path | None, typer.Option(help="Folder with its version folders. Default <volume>/<name>.")
    ] = None,
) -> None:
    """Serve a model that is on the volume already: one more entry in config.json.

    \b
    Examples:
      camfleet model add resnet       after copying var/models/resnet/1/model.onnx
      camfleet model add resnet --path /srv/resnet
    """
    from camfleet.cli.model_changes import add_model
    from camfleet.cli.settings import command_settings

    add_model(command_settings(), name, path)


@app.command()
def remove(
    name: Annotated[
        str, typer.Argument(help="The name it is served under; name:version for one version.")
    ],
    files: Annotated[
        bool, typer.Option("--files", help="Delete its folder on the volume too.")
    ] = False,
) -> None:
    """Stop serving a model; its files stay unless --files is given.

    A version that shall not have been published is taken back with its files: the
    server goes on with those that are left.

    \b
    Examples:
      camfleet model remove yunet-n
      camfleet model remove yunet-n --files
      camfleet model remove pets:7 --files          version 6 is served again
    """
    from camfleet.cli.model_changes import remove_model
    from camfleet.cli.settings import fleet_settings

    remove_model(fleet_settings(), name, files=files)


@app.command("log")
def log_changes(
    name: Annotated[str, typer.Argument(help="A model of the volume.")] = "",
    as_json: Json = False,
) -> None:
    """Show where a model's versions come from; without a name, what changed in config.json.

    Newest first. Of a version: who published it, when, from which notebook, what
    it was made from, its metrics, and the hash of the pictures it was quantised
    with.

    \b
    Examples:
      camfleet model log
      camfleet model log demo-street
      camfleet model log demo-street --json > trail.json     for DVC, MLflow ...
      camfleet model log --json | jq '.[] | select(.removed != [])'
    """
    from camfleet.cli.config_history import print_changes
    from camfleet.cli.packages.trails import print_trails
    from camfleet.cli.settings import fleet_settings

    if name:
        print_trails(fleet_settings(), name, as_json=as_json)
    else:
        print_changes(fleet_settings(), as_json=as_json)


@app.command()
def rollback(
    number: Annotated[
        int | None, typer.Argument(help="Of `camfleet model log`. Default the last change.", min=1)
    ] = None,
) -> None:
    """Give config.json the text it had before a change; the server follows at once.

    The roll-back is a change of its own: `camfleet model rollback` a second time
    takes it back. A published version is not a change of config.json:
    `camfleet model remove NAME:VERSION --files` takes that back.

    \b
    Examples:
      camfleet model rollback          the last change is undone
      camfleet model rollback 12       as it was before change 12
    """
    from camfleet.cli.config_history import roll_config_back
    from camfleet.cli.settings import fleet_settings

    roll_config_back(fleet_settings(), number)


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="Of the volume or of the catalogue.")],
    as_json: Json = False,
) -> None:
    """Show a model's card: purpose, licence, source, input, output, labels, versions, state.

    \b
    Example:
      camfleet model show fastestdet-coco
    """
    from camfleet.cli.model_card import print_card
    from camfleet.cli.settings import command_settings

    print_card(command_settings(), name, as_json=as_json)
