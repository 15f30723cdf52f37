"""INT8 by NNCF's post-training quantisation, and a comparison with the original."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from av.video.frame import VideoFrame

from camfleet.cli.errors import CommandError
from camfleet.cli.media import pixels_of
from camfleet_workbench.tools.agreement import Comparison, compare
from camfleet_workbench.tools.asking import AskableModel, askable
from camfleet_workbench.tools.located import LocatedModel
from camfleet_workbench.tools.packages import write_package

FEWEST = 4
_HELD_BACK = 4  # every fourth picture is kept for the comparison


def quantize(
    source: LocatedModel, pictures: Sequence[VideoFrame], folder: Path
) -> tuple[Path, Comparison]:
    """Quantise a model, write it as a package and compare it with the original.

    Raises:
        CommandError: too few pictures, a model that is quantised already or cannot be.
    """
    if len(pictures) < FEWEST:
        raise CommandError(
            f"{len(pictures)} pictures are too few to calibrate with; give {FEWEST} or more, "
            "better 300, of what the camera will see"
        )
    held_back = pictures[::_HELD_BACK]
    calibrating = [p for number, p in enumerate(pictures) if number % _HELD_BACK]
    original = askable(source.path, source.manifest)
    model = _quantized(source, original, calibrating)
    comparison = compare(original, askable(model, source.manifest), held_back)
    trail = {
        "calibration_sha256": sum_of(calibrating),
        "metrics": {
            "agreement": round(comparison.agreement, 4),
            "speed_up": round(comparison.speed_up, 2),
        },
    }
    changes = {"quantised": "int8", "precision": "f32", "trail": trail}
    return write_package(source, folder, model, changes), comparison


def sum_of(pictures: Sequence[VideoFrame]) -> str:
    """SHA-256 over the pixels of pictures in their order; the same pictures give the same sum."""
    digest = hashlib.sha256()
    for picture in pictures:
        digest.update(f"{picture.width}x{picture.height}".encode())
        digest.update(pixels_of(picture).tobytes())
    return digest.hexdigest()


def _quantized(source: LocatedModel, original: AskableModel, pictures: Sequence[VideoFrame]) -> Any:
    import nncf  # noqa: PLC0415 - takes seconds
    import openvino as ov  # noqa: PLC0415 - takes long

    model = ov.Core().read_model(source.path)
    if any(node.get_type_name() == "FakeQuantize" for node in model.get_ops()):
        raise CommandError(f"{source.path.name} is quantised already; give the float model")
    dataset = nncf.Dataset([original.tensor_of(picture)[0] for picture in pictures])
    try:
        return nncf.quantize(model, dataset, subset_size=len(pictures))
    except (RuntimeError, nncf.ValidationError) as error:
        raise CommandError(f"{source.path.name} cannot be quantised: {error}") from error
