"""The command's tree of verbs, plug-ins of other packages, and errors as one line."""

import sys
from importlib.metadata import EntryPoint, entry_points, version
from typing import Annotated, Any

import typer

from camfleet.cli import camera, doctor, hailo, infer, key, model, up, url
from camfleet.cli.app import verbs as application_verbs
from camfleet.cli.console import out, print_error
from camfleet.cli.errors import known_error_line

PLUGINS = "camfleet.commands"

_HELP = """Cameras in, models that reload while they serve, events and live pictures out.

[bold]Try it[/]

\b
  camfleet up                              the demo fleet; Ctrl-C ends it
  camfleet up --cameras /dev/video0        your camera with fastestdet-coco
  camfleet model search face               models that can be pulled
  camfleet model pull yunet-n              download, check, publish, serve
  camfleet app init counter                a script of your own, with its test
  camfleet infer a.jpg --model yunet-n     faces in a picture
  camfleet camera test rtsp://10.0.0.5/    what a camera delivers
  camfleet doctor                          what works here and what not
"""


def _tell_version(asked: bool) -> None:
    if asked:
        out.print(f"camfleet {version('camfleet')}")
        raise typer.Exit


def build_app() -> typer.Typer:
    """The whole command, with what other packages add to it."""
    app = typer.Typer(
        name="camfleet",
        help=_HELP,
        no_args_is_help=True,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
        add_completion=True,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_options)
    app.command("up")(up.up)
    app.command("url")(url.url)
    app.command("doctor")(doctor.doctor)
    app.command("infer")(infer.infer)
    groups = {
        "model": model.app,
        "camera": camera.app,
        "app": application_verbs.app,
        "key": key.app,
        "hailo": hailo.app,
    }
    for name, group in groups.items():
        app.add_typer(group, name=name)
    for plugin in entry_points(group=PLUGINS):
        _join(app, groups, plugin)
    return app


def run() -> None:
    """Run the command; what users can mend is one line on standard error and exit code 1."""
    try:
        build_app()()
    except Exception as error:
        # The command ends here: known errors are told in one line, a fault of ours keeps its trace.
        line = known_error_line(error)
        if line is None:
            raise
        print_error(line)
        sys.exit(1)


def _options(
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_tell_version, is_eager=True, help="Show it and end."),
    ] = False,
) -> None:
    pass


def _join(app: typer.Typer, groups: dict[str, typer.Typer], plugin: EntryPoint) -> None:
    """Add one plug-in: `verb` or `group.verb` names a function, a Typer app becomes a group."""
    try:
        command: Any = plugin.load()
    except Exception as error:  # noqa: BLE001 - another package's fault must not end ours
        print_error(f"command '{plugin.name}' of {plugin.value} cannot be loaded: {error}")
        return
    group_name, _, verb = plugin.name.rpartition(".")
    parent = groups.get(group_name, app)
    if isinstance(command, typer.Typer):
        parent.add_typer(command, name=verb)
    else:
        parent.command(verb)(command)
