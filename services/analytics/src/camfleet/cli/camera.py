"""`camfleet camera`: the cameras of cameras.yaml and whether their sources can be read."""

# ruff: noqa: PLC0415 - commands import what they need, so that --help answers at once
# ruff: noqa: PT028 - the verb `test` is no test

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Cameras of cameras.yaml; the running fleet follows.")

Json = Annotated[bool, typer.Option("--json", help="For scripts.")]


@app.command("list")
def list_cameras(as_json: Json = False) -> None:
    """Show the cameras of cameras.yaml and, when capture answers, their state.

    \b
    Example:
      camfleet camera list
    """
    from camfleet.cli.camera_listing import print_cameras
    from camfleet.cli.settings import fleet_settings

    print_cameras(fleet_settings(), as_json=as_json)


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="1 to 32 of a-z, 0-9 and '-'.")],
    source: Annotated[str, typer.Argument(help="/dev/video0, rtsp://..., a file, demo:street.")],
    model: Annotated[str, typer.Option(help="Its model; else that of the defaults.")] = "",
    fps: Annotated[float, typer.Option(help="Inferences per second; else the defaults'.")] = 0,
    credentials: Annotated[
        str, typer.Option(help="${env:NAME} or ${file:PATH} that holds user:password.")
    ] = "",
) -> None:
    """Add a camera to cameras.yaml; comments in the file stay.

    A user and password in the address go into a file that only the fleet reads.

    \b
    Examples:
      camfleet camera add desk /dev/video0 --model fastestdet-coco
      camfleet camera add door rtsp://10.0.0.20/live --credentials '${env:DOOR}'
    """
    from camfleet.cli.camera_changes import add_camera
    from camfleet.cli.settings import command_settings

    pipeline = {"model": model, "fps": fps}
    add_camera(
        command_settings(), name, source, credentials, {k: v for k, v in pipeline.items() if v}
    )


@app.command()
def remove(name: Annotated[str, typer.Argument(help="The camera's name.")]) -> None:
    """Take a camera out of cameras.yaml.

    \b
    Example:
      camfleet camera remove desk
    """
    from camfleet.cli.camera_changes import remove_camera
    from camfleet.cli.settings import fleet_settings

    remove_camera(fleet_settings(), name)


@app.command()
def record(
    name: Annotated[str, typer.Argument(help="The camera's name.")],
    off: Annotated[bool, typer.Option("--off", help="Record no more; the files stay.")] = False,
    size_gb: Annotated[
        float, typer.Option(help="Of all files of the camera; the oldest go first.", min=0.001)
    ] = 2,
) -> None:
    """Let capture keep a camera's newest pictures on the disk, or end it.

    The stream is copied, not encoded. Clips by time:
    <capture>/cameras/NAME/clip?from=...&to=...

    \b
    Examples:
      camfleet camera record door
      camfleet camera record door --size-gb 20
      camfleet camera record door --off
    """
    from camfleet.cli.camera_changes import record_camera
    from camfleet.cli.settings import fleet_settings

    record_camera(fleet_settings(), name, None if off else round(size_gb * 1e9))


@app.command()
def test(
    camera: Annotated[str, typer.Argument(help="A source, or the name of a camera.")],
    save: Annotated[Path | None, typer.Option(help="Save a picture (.jpg) here.")] = None,
    timeout: Annotated[
        float, typer.Option(help="Seconds to wait for the first picture.", min=0.1)
    ] = 10,
    as_json: Json = False,
) -> None:
    """Open a source and say what comes: codec, size, frame rate, time to the first picture.

    \b
    Examples:
      camfleet camera test rtsp://192.168.1.20/live --save door.jpg
      camfleet camera test street
    """
    from camfleet.cli.camera_test import test_camera
    from camfleet.cli.settings import command_settings

    test_camera(command_settings(), camera, save=save, timeout_s=timeout, as_json=as_json)


@app.command()
def advise(
    camera: Annotated[str, typer.Argument(help="Only this camera.")] = "",
    seconds: Annotated[float, typer.Option(min=2, max=3600, help="How long to look.")] = 15,
    as_json: Json = False,
) -> None:
    """Look at the running fleet and say what would save how much processor time.

    Lower rates, sub-streams, motion gate, idle mode, other models: in
    milliseconds of processor time a second, from what each camera costs on this
    machine now. "?" is what nobody can know.

    \b
    Examples:
      camfleet camera advise
      camfleet camera advise door --seconds 120 --json
    """
    from camfleet.cli.advice.report import print_advice
    from camfleet.cli.settings import fleet_settings

    print_advice(fleet_settings(), camera or None, seconds=seconds, as_json=as_json)
