"""The verbs of `camfleet app`."""

# ruff: noqa: PLC0415 - commands import what they need, so that --help answers at once

import shlex
from pathlib import Path
from typing import Annotated

import typer

from camfleet.cli.app import model_verbs

app = typer.Typer(
    no_args_is_help=True,
    help="""Applications: your own script, its models, and the container it becomes.

\b
  camfleet app init counter && cd counter
  camfleet app install                      models and packages
  camfleet app start -- clip.mp4            run it here
  camfleet app start --watch -- clip.mp4    and again after every change
  camfleet app deploy                       as a container, from now on
""",
)
app.add_typer(model_verbs.app, name="models")

Folder = Annotated[Path, typer.Option("--app", help="The application's folder.", metavar="DIR")]
_HERE = Path()


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="A new folder, or an empty one.")] = _HERE,
) -> None:
    """Make a runnable application: app.py, its file, a Dockerfile and a test with a clip.

    \b
    Examples:
      camfleet app init counter && cd counter
      camfleet app install && camfleet app start -- ~/clip.mp4
    """
    from camfleet.cli.app.scaffold import make_application
    from camfleet.cli.console import note

    make_application(folder)
    go = "" if folder == _HERE else f"cd {shlex.quote(str(folder))} && "
    note(f"made; next: {go}camfleet app install && camfleet app start")


@app.command()
def configure(
    device: Annotated[
        str | None, typer.Option(help="Hardware: default, intel-gpu, cuda, jetson, hailo.")
    ] = None,
    mode: Annotated[
        str | None,
        typer.Option(help="development mounts this folder; production needs only the image."),
    ] = None,
    engine: Annotated[
        str | None, typer.Option(help="Docker Engine: ssh://user@host; '' is this machine.")
    ] = None,
    usb: Annotated[bool | None, typer.Option(help="Hand USB cameras into the container.")] = None,
    folder: Folder = _HERE,
) -> None:
    """Say where the application is to run; makes a Dockerfile that was deleted anew.

    What is not given stays as it was. The choice is kept in camfleet.target.json.

    \b
    Examples:
      camfleet app configure --device intel-gpu --usb
      camfleet app configure --mode production --engine ssh://pi@10.0.0.7
    """
    from dataclasses import asdict, replace

    from camfleet.apps.application import read_application
    from camfleet.cli.app.scaffold import complete
    from camfleet.cli.app.target import read_target, write_target
    from camfleet.cli.console import note

    application = read_application(folder)
    given = {"device": device, "mode": mode, "engine": engine, "usb": usb}
    told = {name: value for name, value in given.items() if value is not None}
    target = replace(read_target(application.folder), **told)  # type: ignore[arg-type]
    write_target(application.folder, target)
    for name in complete(application.folder):
        note(f"{name} was missing and is made")
    said = {**asdict(target), "engine": target.engine or "this machine"}
    note(", ".join(f"{name}: {value}" for name, value in said.items()))


@app.command()
def install(
    clean: Annotated[
        bool, typer.Option("--clean", help="Delete what was installed before, then install.")
    ] = False,
    folder: Folder = _HERE,
) -> None:
    """Bring its models, Debian packages (packages.txt) and Python packages here.

    Models go into var/models, or where MODELS_DIR says. What requirements.txt
    lists goes into an environment of its own, .venv, which also sees camfleet;
    where it lists nothing there is none.

    \b
    Examples:
      camfleet app install
      camfleet app install --clean
      MODELS_DIR=/srv/models camfleet app install    for a fleet that serves them
    """
    from camfleet.apps.application import read_application
    from camfleet.cli.app.installing import install as install_application

    install_application(read_application(folder), clean=clean)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def start(
    context: typer.Context,
    watch: Annotated[
        bool, typer.Option("--watch", help="Start it again whenever a source file changes.")
    ] = False,
    folder: Folder = _HERE,
) -> None:
    """Run the application's scripts.start here; what follows -- goes to the script.

    --watch looks at .py, .json, .yaml and .toml files (not below var/), also on
    shares that tell of no changes. Ctrl-C ends the script and all that it
    started.

    \b
    Examples:
      camfleet app start
      camfleet app start --watch -- clip.mp4
    """
    from camfleet.apps.application import read_application
    from camfleet.cli.app.starting import start as start_application
    from camfleet.cli.app.starting import start_and_watch

    application = read_application(folder)
    run = start_and_watch if watch else start_application
    raise typer.Exit(run(application, context.args))


@app.command()
def shell(
    container: Annotated[
        bool, typer.Option(help="In a container of the application's image.")
    ] = False,
    folder: Folder = _HERE,
) -> None:
    """Open a shell in which `python` and the models are those of the application.

    \b
    Examples:
      camfleet app shell
      camfleet app shell --container
    """
    from camfleet.apps.application import read_application
    from camfleet.cli.app.deploying import shell_in_image
    from camfleet.cli.app.shell import open_shell
    from camfleet.cli.app.target import read_target

    application = read_application(folder)
    if container:
        raise typer.Exit(shell_in_image(application, read_target(application.folder)))
    raise typer.Exit(open_shell(application))


@app.command()
def package(
    tag: Annotated[str, typer.Option(help="Name of the image. Default <folder>:latest.")] = "",
    folder: Folder = _HERE,
) -> None:
    """Build one image with the script, the library, a model server and the models.

    It needs nothing else where it runs, not even a network:
    docker run --read-only --network=host IMAGE.

    \b
    Examples:
      camfleet app package
      camfleet app package --tag registry.example/counter:1.0
    """
    from camfleet.apps.application import read_application
    from camfleet.cli.app.docker import Docker
    from camfleet.cli.app.image import package as build
    from camfleet.cli.app.target import read_target
    from camfleet.cli.console import note

    application = read_application(folder)
    target = read_target(application.folder)
    image = build(application, target, Docker(target.engine), tag)
    note(f"{image} is built; docker run --read-only --network=host {image}")


@app.command()
def deploy(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    logs: Annotated[bool, typer.Option("--logs", help="Follow what it writes.")] = False,
    stop: Annotated[bool, typer.Option("--stop", help="Stop it; its volumes stay.")] = False,
    folder: Folder = _HERE,
) -> None:
    """Start the application as a container, now and whenever the machine starts.

    Builds the image, writes camfleet.compose.yml for the device of `configure`,
    and starts it.

    \b
    Examples:
      camfleet app deploy
      camfleet app deploy --logs
      camfleet app deploy --stop
    """
    from camfleet.apps.application import read_application
    from camfleet.cli.app import deploying
    from camfleet.cli.app.target import read_target

    application = read_application(folder)
    target = read_target(application.folder)
    if logs:
        raise typer.Exit(deploying.follow_logs(application, target))
    if stop:
        deploying.stop(application, target)
        return
    docker = deploying.engine_for(application, target)  # before a question about it
    where = target.engine or "this machine"
    if not yes:
        typer.confirm(f"deploy {application.name} to {where} ({target.device})?", abort=True)
    deploying.deploy(application, target, docker)
