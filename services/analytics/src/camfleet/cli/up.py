"""`camfleet up`: the whole fleet as local processes."""

# ruff: noqa: PLC0415 - commands import what they need, so that --help answers at once

from pathlib import Path
from typing import Annotated

import typer

DEFAULT_MODEL = "fastestdet-coco"


def up(
    cameras: Annotated[
        str,
        typer.Option(
            help="Sources in place of cameras.yaml, separated by spaces: files (in quotes where"
            " their name has a space), /dev/video0, rtsp://...",
            metavar="'SRC SRC ...'",
        ),
    ] = "",
    model: Annotated[
        str, typer.Option(help=f"Model for --cameras; pulled if missing. Default {DEFAULT_MODEL}.")
    ] = "",
    workbench: Annotated[bool, typer.Option(help="Start JupyterLab too.")] = True,
    models: Annotated[
        Path | None, typer.Option(help="The model volume. Default MODELS_DIR or var/models.")
    ] = None,
    state: Annotated[
        Path | None, typer.Option(help="Keys and history. Default CAMFLEET_STATE or var/state.")
    ] = None,
    seed: Annotated[
        Path | None, typer.Option(help="Folder to seed the volume from. Default ./models.")
    ] = None,
) -> None:
    """Start capture, model server, analytics and JupyterLab here; Ctrl-C ends them all.

    Ports: RTSP_PORT 8554, CAPTURE_HTTP_PORT 8553, GRPC_PORT 9000, REST_PORT 8000,
    STREAMER_PORT 5000, JUPYTER_PORT 8888.

    \b
    Examples:
      camfleet up
      camfleet up --cameras "rtsp://10.0.0.5/live /dev/video0"
      camfleet up --cameras clip.mp4 --model yunet-n --no-workbench
      camfleet up --cameras "'my clip.mp4' /dev/video0"
      STREAMER_PORT=5001 camfleet up
    """
    from camfleet.cli.fleet.run_cameras import split_sources
    from camfleet.cli.fleet.session import FleetOptions, run_fleet
    from camfleet.cli.settings import new_fleet_settings

    settings = new_fleet_settings(models=models, state=state)
    options = FleetOptions(
        sources=split_sources(cameras), model=model, workbench=workbench, seed=seed
    )
    run_fleet(settings, options)
