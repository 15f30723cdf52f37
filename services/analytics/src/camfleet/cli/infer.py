"""`camfleet infer`: a model on pictures and films."""

# ruff: noqa: PLC0415 - commands import what they need, so that --help answers at once

from pathlib import Path
from typing import Annotated

import typer


def infer(
    source: Annotated[Path, typer.Argument(help="A picture, a folder of pictures, or a film.")],
    model: Annotated[str, typer.Option(help="Name, id user/name, or name:version.")],
    save: Annotated[
        Path | None, typer.Option(help="Write pictures or the film with boxes into this folder.")
    ] = None,
    confidence: Annotated[
        float | None,
        typer.Option(help="Else what the model's manifest says.", min=0, max=1),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="One result envelope per picture and line.")
    ] = False,
) -> None:
    """Ask the model server (CAMFLEET_SERVER) what is in files, as a table, JSON or pictures.

    \b
    Examples:
      camfleet infer photo.jpg --model fastestdet-coco
      camfleet infer holiday/ --model yunet-n --save faces
      camfleet infer clip.mp4 --model demo-street:1 --json | jq .results
    """
    from camfleet.cli.inference_run import InferenceRun
    from camfleet.cli.settings import command_settings

    run = InferenceRun(command_settings(), model, confidence=confidence, save=save)
    run.run(source, as_json=as_json)
