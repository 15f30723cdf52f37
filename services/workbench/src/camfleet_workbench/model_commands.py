"""`camfleet model convert` and `quantize`, where the workbench is installed."""

# ruff: noqa: PLC0415 - commands import what they need, so that --help answers at once

import shlex
from pathlib import Path
from typing import Annotated

import typer

Reference = Annotated[
    str, typer.Argument(help="Name or name:version on the volume, a folder, or a file.")
]
Out = Annotated[Path | None, typer.Option(help="The new package. Default in this folder.")]
Publish = Annotated[bool, typer.Option("--publish", help="Publish it as the next version too.")]


def convert(model: Reference, out: Out = None, *, publish: Publish = False) -> None:
    """Convert ONNX, TensorFlow, SavedModel or TFLite to OpenVINO IR.

    TFLite files that OpenVINO refuses are repaired where that is possible: the
    detection post-processing is cut off and done by the decoder, wrong quantised
    axes are set right.

    \b
    Examples:
      camfleet model convert detect.tflite
      camfleet model convert pets/ --out pets-ir
      camfleet model convert fastestdet-coco --publish
    """
    from camfleet.cli.console import err
    from camfleet.cli.settings import command_settings
    from camfleet_workbench.tools.convert import convert as run
    from camfleet_workbench.tools.located import locate

    source = locate(command_settings(), model)
    with err.status(f"converting {source.path.name}"):
        folder = run(source, out or Path(f"{source.name}-ir"))
    _tell(folder)
    if publish:
        _publish(folder)


def quantize(
    model: Reference,
    pictures: Annotated[
        str, typer.Option("--with", help="A folder of pictures, a film, or a camera's name.")
    ],
    out: Out = None,
    count: Annotated[int, typer.Option(help="Pictures to take.", min=4, max=2000)] = 300,
    *,
    publish: Publish = False,
) -> None:
    """Make an INT8 model with NNCF, and say how it differs from the original.

    Take pictures of what the camera will see. Every fourth one is kept back to
    compare both: the share of objects that both find, how far their scores
    differ, and the speed-up.

    \b
    Examples:
      camfleet model quantize fastestdet-coco --with clip.mp4
      camfleet model quantize fastestdet-coco --with front-door --publish
      camfleet model quantize pets/ --with holiday/ --out pets-int8
    """
    from camfleet.cli.console import err, note
    from camfleet.cli.settings import command_settings
    from camfleet_workbench.tools.calibration import pictures_of
    from camfleet_workbench.tools.located import locate
    from camfleet_workbench.tools.quantize import quantize as run

    settings = command_settings()
    source = locate(settings, model)
    with err.status(f"reading pictures of {pictures}"):
        taken = pictures_of(pictures, count)
    folder, compared = run(source, taken, out or Path(f"{source.name}-int8"))
    note(
        f"agreement {compared.agreement:.1%} on {compared.pictures} pictures, scores differ by "
        f"{compared.score_difference:.3f}; {compared.first_ms:.1f} ms become "
        f"{compared.second_ms:.1f} ms ({compared.speed_up:.2f} times as fast)"
    )
    _tell(folder)
    if publish:
        _publish(folder)


def _tell(folder: Path) -> None:
    from camfleet.cli.console import note

    name = shlex.quote(str(folder))
    note(f"{folder} written; `camfleet model publish {name}` puts it on the volume")


def _publish(folder: Path) -> None:
    from camfleet.cli.packages.publish import PublishOptions, publish
    from camfleet.cli.settings import command_settings

    publish(command_settings(), folder, PublishOptions())
