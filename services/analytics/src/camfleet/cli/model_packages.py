"""`camfleet model configure` and `publish`: from files to a served version."""

# ruff: noqa: PLC0415 - commands import what they need, so that --help answers at once

from pathlib import Path
from typing import Annotated

import typer

from camfleet.cli.packages.flags import AlwaysAIFlags

CONFIGURE_CLASS = AlwaysAIFlags

_MODEL, _PICTURE, _CARD, _CHIP = "Model", "Picture", "Card", "Accelerator"
_TRAIL = "Trail"


def _flag(name: str, text: str, panel: str) -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(name, help=text, rich_help_panel=panel)
    return option


def configure(  # noqa: PLR0913 - alwaysAI's flags, one by one
    folder: Annotated[Path, typer.Argument(help="With the model's files.")] = Path(),
    *,
    framework: Annotated[
        str | None, _flag("--framework", "caffe, darknet, dldt, enet, onnx, tensorflow ...", _MODEL)
    ] = None,
    model_file: Annotated[str | None, _flag("--model_file", "Of the folder.", _MODEL)] = None,
    config_file: Annotated[
        str | None, _flag("--config_file", ".cfg, .prototxt, .pbtxt or .xml.", _MODEL)
    ] = None,
    purpose: Annotated[
        str | None, _flag("--purpose", "ObjectDetection, Classification ...", _MODEL)
    ] = None,
    label_file: Annotated[str | None, _flag("--label_file", "A label a line.", _MODEL)] = None,
    colors_file: Annotated[str | None, _flag("--colors_file", "x,y,z a line.", _MODEL)] = None,
    output_layer_names: Annotated[
        str | None, _flag("--output_layer_names", "Layers to read, with spaces.", _MODEL)
    ] = None,
    softmax: Annotated[
        str | None, _flag("--softmax", "Scores need a softmax (false).", _MODEL)
    ] = None,
    decoder: Annotated[
        str | None, _flag("--decoder", "How cameras read its answers; ours.", _MODEL)
    ] = None,
    mean: Annotated[str | None, _flag("--mean", "Taken off per channel (0 0 0).", _PICTURE)] = None,
    scalefactor: Annotated[
        float | None, _flag("--scalefactor", "Times after the mean (1).", _PICTURE)
    ] = None,
    size: Annotated[str | None, _flag("--size", "Width and height in pixels.", _PICTURE)] = None,
    crop: Annotated[
        str | None, _flag("--crop", "Cut instead of stretching (false).", _PICTURE)
    ] = None,
    swaprb: Annotated[
        str | None, _flag("--swaprb", "It takes RGB, not BGR (false).", _PICTURE)
    ] = None,
    model_id: Annotated[
        str | None,
        typer.Option(
            "--id", "--name", help="user/name. Default the folder's name.", rich_help_panel=_CARD
        ),
    ] = None,
    license_: Annotated[str | None, _flag("--license", "", _CARD)] = None,
    dataset: Annotated[str | None, _flag("--dataset", "It was trained on.", _CARD)] = None,
    website_url: Annotated[str | None, _flag("--website_url", "", _CARD)] = None,
    accuracy: Annotated[str | None, _flag("--accuracy", "In words.", _CARD)] = None,
    inference_time: Annotated[
        float | None, _flag("--inference_time", "Milliseconds (0).", _CARD)
    ] = None,
    mean_average_precision_top_1: Annotated[
        float | None, _flag("--mean_average_precision_top_1", "(0)", _CARD)
    ] = None,
    mean_average_precision_top_5: Annotated[
        float | None, _flag("--mean_average_precision_top_5", "(0)", _CARD)
    ] = None,
    public: Annotated[str | None, _flag("--public", "Kept, without effect (false).", _CARD)] = None,
    device: Annotated[
        str | None, _flag("--device", "tensor-rt: nano, xavier-nx, agx-xavier.", _CHIP)
    ] = None,
    architecture: Annotated[
        str | None, _flag("--architecture", "tensor-rt, hailo: yolo, mobilenet_ssd ...", _CHIP)
    ] = None,
    quantize_input: Annotated[str | None, _flag("--quantize_input", "hailo (true).", _CHIP)] = None,
    quantize_output: Annotated[
        str | None, _flag("--quantize_output", "hailo (true).", _CHIP)
    ] = None,
    input_format: Annotated[str | None, _flag("--input_format", "hailo.", _CHIP)] = None,
    output_format: Annotated[str | None, _flag("--output_format", "hailo.", _CHIP)] = None,
) -> None:
    """Describe a model in its model.json, with alwaysAI's flags and defaults.

    What is not given stays as it was; lists may be written with spaces or commas.

    \b
    Examples:
      camfleet model configure --framework onnx --model_file net.onnx \\
        --purpose ObjectDetection --label_file coco.names --size 416 416 \\
        --decoder yolox
      camfleet model configure pets --framework caffe --mean 104 117 123 \\
        --model_file pets.caffemodel --config_file pets.prototxt \\
        --purpose Classification --id me/pets
      camfleet model configure pets --scalefactor 0.0078 --swaprb
    """
    from camfleet.cli.packages.configure import configure as write
    from camfleet.cli.packages.configure import numbers, switch

    write(
        folder,
        {
            "framework_type": framework,
            "model_file": model_file,
            "config_file": config_file,
            "purpose": purpose,
            "label_file": label_file,
            "colors_file": colors_file,
            "output_layer_names": output_layer_names.split(",") if output_layer_names else None,
            "softmax": switch(softmax, "--softmax"),
            "decoder": decoder,
            "mean": numbers(mean, "--mean"),
            "scalefactor": scalefactor,
            "size": numbers(size, "--size"),
            "crop": switch(crop, "--crop"),
            "swaprb": switch(swaprb, "--swaprb"),
            "id": model_id,
            "license": license_,
            "dataset": dataset,
            "website_url": website_url,
            "accuracy": accuracy,
            "inference_time": inference_time,
            "mean_average_precision_top_1": mean_average_precision_top_1,
            "mean_average_precision_top_5": mean_average_precision_top_5,
            "public": switch(public, "--public"),
            "device": device,
            "architecture": architecture,
            "quantize_input": switch(quantize_input, "--quantize_input"),
            "quantize_output": switch(quantize_output, "--quantize_output"),
            "input_format": input_format,
            "output_format": output_format,
        },
    )


def publish(  # noqa: PLR0913 - flags, one by one
    source: Annotated[Path, typer.Argument(help="Folder or archive with the model's files.")],
    model_id: Annotated[
        str | None, typer.Option("--id", help="user/name. Default: model.json's, or the folder's.")
    ] = None,
    version: Annotated[int | None, typer.Option(help="Default the next number.", min=1)] = None,
    serve: Annotated[bool, typer.Option(help="Add it to config.json.")] = True,
    wait: Annotated[float, typer.Option(help="Seconds to wait for the server's word.", min=0)] = 60,
    *,
    metric: Annotated[
        list[str] | None,
        typer.Option(help="name=number, as often as you like.", rich_help_panel=_TRAIL),
    ] = None,
    parent: Annotated[
        str, _flag("--parent", "name:version it was made from. Default the newest.", _TRAIL)
    ] = "",
    remark: Annotated[str, _flag("--note", "A sentence that stays with it.", _TRAIL)] = "",
    by: Annotated[str, _flag("--by", "Who publishes. Default the user here.", _TRAIL)] = "",
) -> None:
    """Check a model's files and publish them as its next version, in one step.

    The server tries it before it replaces the version that serves. One that it
    refuses, or whose answers do not fit its labels, is taken back: volume and
    config.json are as before.

    \b
    Examples:
      camfleet model publish pets/
      camfleet model publish pets.tar.gz --id me/pets --version 7
      camfleet model publish pets/ --no-serve
      camfleet model publish pets/ --metric mAP=0.61 --note "more rain"
    """
    from camfleet.cli.packages.publish import PublishOptions
    from camfleet.cli.packages.publish import publish as run
    from camfleet.cli.packages.trails import metrics_of
    from camfleet.cli.settings import command_settings
    from camfleet_contracts.trail import Trail

    trail = Trail(by=by, parent=parent, note=remark, metrics=metrics_of(metric or []))
    run(command_settings(), source, PublishOptions(model_id, version, serve, wait, trail))


def benchmark(
    model: Annotated[str, typer.Argument(help="Name or name:version on the volume, or a folder.")],
    seconds: Annotated[float, typer.Option(help="For each measurement.", min=0.05)] = 3,
    plot: Annotated[Path | None, typer.Option(help="Draw the rates into this .png.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,
) -> None:
    """Measure a model with every runtime and precision that can run it on this machine.

    Where something cannot, the reason is in its row. Best while the fleet rests.

    \b
    Examples:
      camfleet model benchmark fastestdet-coco
      camfleet model benchmark pets-int8/ --plot pets.png
    """
    from camfleet.cli.packages.benchmark import benchmark as run
    from camfleet.cli.settings import command_settings

    run(command_settings(), model, seconds=seconds, plot=plot, as_json=as_json)


def sync(
    application: Annotated[
        Path, typer.Argument(help="Folder with camfleet.app.json or alwaysai.app.json.")
    ] = Path(),
) -> None:
    """Bring the models that an application names onto the volume, and serve them.

    What is missing is published from the application's own models/ folder, else
    pulled.

    \b
    Examples:
      camfleet model sync
      camfleet model sync ../people-counter
    """
    from camfleet.cli.packages.sync import sync as run
    from camfleet.cli.settings import command_settings

    run(command_settings(), application)
